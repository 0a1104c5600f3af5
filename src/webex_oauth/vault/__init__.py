"""The vault keeps grants sealed and alive, and hands out access tokens that are good.

Read it in this order. What is kept: `records`; how it is sealed: `sealing`; where: `rows` (what a
database does, and records as rows), `tables` (by what they are listed), `ledger` and
`revocation_queue` (the rules) and `upkeep`. How a token stays alive: `vault` (who asks), `plan`
(what to do, pure), `refresh` (claim, request, commit), `commit` (what is written, and what could
not be), `token_endpoint` (what a failure says), `rescue` (tokens that the database did not take).
Keys: `key_file`, `key_agreement`, `reencryption`, on `private_files`.
"""
