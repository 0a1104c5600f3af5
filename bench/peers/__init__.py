"""The peers: what integrations in Node and in Python usually look like."""
