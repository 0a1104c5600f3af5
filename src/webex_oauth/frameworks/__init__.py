"""What the doors to other programs' frameworks share; each framework has a module of its own.

`answers` are the pages and problems that they send, `proxy` relays a front end's calls to Webex.
"""
