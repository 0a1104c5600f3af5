"""Be the person whose browser is opened: choose Luca, accept, visit the callback."""

import sys
import urllib.request

from webex_oauth.emulator import Visitor

url = Visitor().sign_in(sys.argv[1], "luca@acme.example")
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url).read()
