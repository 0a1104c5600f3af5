"""The application that people see in their browsers.

In reading order, from the socket inwards: `listening`, `server` and `connection` are uvicorn with
bounds; `frame` stands around every request; `application` finds its page; `visit` is one request to
a page; `sign_in`, `home`, `listrooms` and `sessions` are the pages; `rendering` turns a page's view
into bytes. `refusals` end a request in a failure, `failure_page` is how it is shown;
`browser_security` is what browsers are told.
"""
