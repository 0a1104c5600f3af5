"""What programs of others hold: an integration, grants, sign-in and events.

In reading order: `integration` opens it, `grants` are what people allowed, `sign_in` is the flow as
plain values, `events` are what happens. `synchronous` is the same for programs without an event
loop; theirs is in `loop`.
"""
