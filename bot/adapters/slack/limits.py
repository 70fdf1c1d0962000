"""How much fits into what Slack shows, in UTF-16 units where it is text.

Block Kit's reference names most of these. Slack counts texts with `&`, `<` and `>` escaped.
"""

BLOCKS = 50
"""Of a message."""
VIEW_BLOCKS = 100
"""Of a modal or a Home tab."""
TEXT = 2900
"""Of one block; a section takes 3,000."""
BLOCK = 5000
"""Characters of JSON to which blocks are filled with several lines."""
MESSAGE = 11_000
"""Characters of JSON of all blocks of a message. Slack publishes no number and refuses with
`msg_blocks_too_long` at about 13,200 characters of text, blocks themselves counting about 100
(slackapi/bolt-js issues 2509 and 2867)."""
VIEW = 40_000
"""Characters of JSON of a view, which may have 250 kB; one character may be six of them as it is sent."""
FALLBACK = 750
"""Of a message's `text`: chat.update takes 4,000 bytes, and one unit may become five."""
QUIET = 500
"""Of a line in a context block: the longest that cannot outgrow it once escaped."""
LINKS = 20
"""Addresses of one block that lead somewhere; what is a link takes many characters of JSON."""
MARKS = 40
"""Stretches of one block that are set apart; each takes many characters of JSON."""
URL = 2000
"""Of an address that leads somewhere; Slack takes 3,000, but what was cut at the end of a block must not."""
HEADER = 150
LABEL = 75
"""Of a button, an option of a menu, or a group of options."""
BUTTONS = 25
"""Elements of one block of actions."""
OVERFLOW = 5
"""Options of an overflow menu."""
OPTIONS = 100
"""Of a select menu, or of a group in one."""
VIEW_TITLE = 24
"""Of a modal's title and its two buttons."""
INPUT_LABEL = 2000
"""Of a field's label and of its hint."""
INPUT = 3000
"""Of what can be typed into a field."""
FILE = 1_000_000_000
"""Bytes of the largest file that is sent."""
