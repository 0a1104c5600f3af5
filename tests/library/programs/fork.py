"""Use an integration, fork, and use it in both processes."""

import os
import sys
from pathlib import Path

from webex_oauth import Integration, Secret
from webex_oauth.webex import people

webex = Integration()
access, refresh = Path("tokens").read_text().split()
grant = webex.grants.adopt(Secret(access), Secret(refresh), scopes=webex.settings.scopes)
print("parent", grant.call(people.me()).display_name, flush=True)
child = os.fork()
if not child:
    print("child", grant.call(people.me()).display_name, flush=True)
    sys.exit(0)
os.waitpid(child, 0)
print("parent", webex.grants.one().call(people.me()).display_name, flush=True)
