"""ChatMember: what somebody is in a group, in the Bot API's words."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.emulators.telegram.groups import Group
    from tests.emulators.telegram.people import User

RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
    "can_manage_tags",
    "can_send_welcome_messages",
    "is_anonymous",
)
PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


def member(group: "Group", user: "User") -> dict[str, Any]:
    """Bot API: ChatMember."""
    if user is group.world.bot:
        return {"user": user.json()} | _bot(group)
    if user is group.owner:
        return {"user": user.json(), "status": "creator", "is_anonymous": user.id in group.anonymous}
    if user.id in group.admins:
        rights = dict.fromkeys(RIGHTS, True) | {"is_anonymous": user.id in group.anonymous}
        return {"user": user.json(), "status": "administrator", "can_be_edited": False} | rights
    return {"user": user.json(), "status": "member" if user.id in group.members else "left"}


def _bot(group: "Group") -> dict[str, Any]:
    match group.bot:
        case "administrator":
            return {"status": "administrator", "can_be_edited": False} | group.rights
        case "restricted":
            may = dict.fromkeys(PERMISSIONS, group.may_send)
            return {"status": "restricted", "is_member": True, "until_date": 0} | may
        case "kicked":
            return {"status": "kicked", "until_date": 0}
        case status:
            return {"status": status}
