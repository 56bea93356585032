"""Every text of the console, in Chinese and English side by side, so that neither is forgotten.

Staff read these, not visitors; the tone is the house's all the same (service-centre-rules.md, W): what can be done
comes before what can't.
"""

from __future__ import annotations

from datetime import datetime

LANGUAGES = ("zh_CN", "en")
HTML_LANG = {"zh_CN": "zh-CN", "en": "en"}

TEXTS: dict[str, tuple[str, str]] = {
    # Frame
    "product": ("访客值守台", "Visitor desk"),
    "today": ("今日来访", "Visits today"),
    "day_desk": ("日班前台值守", "Day desk on duty"),
    "duty_manager": ("物业总值值守", "Duty manager on duty"),
    "stations": ("终端与设备", "Terminals and devices"),
    "no_stations": (
        "还没有终端连接。终端启动后会出现在这里。",
        "No terminal has connected yet. Each appears here once started.",
    ),
    "log_out": ("退出", "Log out"),
    "language": ("语言", "Language"),
    "to_board": ("返回看板", "Back to the board"),
    "lost": (
        "与服务中心的连接已断开，正在重新连接…画面可能不是最新。",
        "Connection to the centre lost, reconnecting… What you see may be old.",
    ),
    "skip": ("跳到主要内容", "Skip to the content"),
    # Log in
    "log_in": ("登录", "Log in"),
    "log_in_lead": ("欢迎回来，请登录后开始值守。", "Welcome back. Please log in to start your shift."),
    "account": ("账号", "Account"),
    "password": ("密码", "Password"),
    "wrong": ("账号或密码有误，请再试一次。", "Account or password is not right. Please try again."),
    "slow_down": (
        "尝试次数较多，请 {seconds} 秒后再试。",
        "Too many attempts. Please try again in {seconds} s.",
    ),
    "first_hint": (
        "首次启动时，密码只在服务中心的命令行里显示一次；遗失时用 broker password 重新生成。",
        "At the first start the password is printed once, where the centre was started. If lost: broker password makes a new one.",
    ),
    # Board
    "needs_answer": ("等待答复", "Waiting for an answer"),
    "waiting": ("安排等候", "Asked to wait"),
    "expected": ("已同意 · 待进门", "Agreed, on the way"),
    "inside": ("在访中", "Inside"),
    "left": ("今日已离开", "Left today"),
    "not_received": ("今日未接待", "Not received today"),
    "not_come": ("未进门", "Did not come"),
    "unanswered": ("未获答复", "Never answered"),
    "none_needs_answer": ("此刻没有等待答复的来访", "Nobody is waiting for an answer"),
    "none_needs_answer_more": ("有新的登记会立即出现在这里", "A new registration appears here at once"),
    "none_waiting": ("没有等候中的来访", "Nobody asked to wait"),
    "none_expected": ("没有待进门的来访", "Nobody on the way"),
    "none_inside": ("目前没有来访者在内", "No visitor inside"),
    "none_left": ("今天还没有离开记录", "Nobody has left yet"),
    "none_not_received": ("今天都接待了", "Everybody was received"),
    "people": ("{n} 人", "{n} people"),
    "visitor": ("访客", "Visitor"),
    "mr": ("{name} 先生", "Mr {name}"),
    "ms": ("{name} 女士", "Ms {name}"),
    "to_see": ("拜访", "to see"),
    "room": ("{room} 室", "Room {room}"),
    "unit": ("{unit} 单元", "Unit {unit}"),
    "arranged_yes": ("已预约", "Arranged"),
    "arranged_no": ("未预约", "Not arranged"),
    "waited": ("已等候", "waiting"),
    "since_at": ("{time} 起", "since {time}"),
    "at_place": ("请在{place}等候", "Waiting in: {place}"),
    "over": ("超过通行时限", "Past the pass's end"),
    "unconfirmed": ("答复待终端确认", "Not confirmed by the terminal yet"),
    "slip_problem": ("凭条未打印", "Slip not printed"),
    "more": ("另有 {n} 条", "{n} more"),
    "open": ("查看", "Open"),
    "number": ("登记号", "No."),
    # Answers
    "agree": ("同意来访", "Agree"),
    "wait": ("请稍候", "Ask to wait"),
    "wait_where": ("请在何处等候？", "Where should they wait?"),
    "away": ("主人不在", "Host is away"),
    "decline": ("婉拒", "Decline"),
    "sent": ("答复已发往终端。", "The answer is on its way to the terminal."),
    "call_sent": ("已告知访客：工作人员马上到。", "The visitor is told that somebody is coming."),
    "recalled": ("已请终端调出这次来访。", "The terminal is bringing this visit back."),
    "unknown_visit": (
        "没有找到这次来访，请返回看板核对。",
        "This visit was not found. Please check the board.",
    ),
    "already_answered": (
        "这次来访已有答复，以先前的答复为准。",
        "This visit has been answered already; the earlier answer holds.",
    ),
    "decided_at_terminal": (
        "终端已先行处理，以终端的决定为准。",
        "It was decided at the terminal already; that decision holds.",
    ),
    "not_asked": (
        "按现行规定，这次来访由系统直接同意，无需答复。",
        "By today's policy this visit needs no answer.",
    ),
    "already_waiting": (
        "已请访客等候，现在可以同意、告知不在或婉拒。",
        "The visitor is waiting already; agree, away or decline can follow.",
    ),
    "no_place": ("请选择一个等候地点。", "Please choose a waiting place."),
    "unknown_call": ("没有找到这次呼叫，请刷新看板。", "This call was not found. Please reload the board."),
    "call_taken": ("已有同事前往。", "A colleague is on the way already."),
    "terminal_offline": (
        "终端暂时离线，请到终端旁协助访客。",
        "The terminal is offline. Please help the visitor in person.",
    ),
    "not_sent": ("操作没有送达服务中心，请再试一次。", "This did not reach the centre. Please try again."),
    # Calls and alarms
    "call_title": ("{station} 有访客呼叫工作人员", "A visitor at {station} asks for a person"),
    "call_take": ("我马上去", "I am on my way"),
    "seen": ("知道了", "Seen"),
    "alarm_fork": (
        "{subject} 的记录出现两个版本，已全部留存。请联系技术人员，先不要重装该终端。",
        "The log of {subject} came in two versions; both are kept. Call a technician; do not re-install the terminal.",
    ),
    "alarm_quarantined": (
        "{subject} 发来本系统尚不认识的记录，已留存待升级处理。",
        "{subject} sent events this version does not know; they are kept for an update.",
    ),
    "alarm_dead_letter": (
        "{subject} 发来无法识别的数据，已留存。请联系技术人员查看。",
        "{subject} sent what is no message of ours; it is kept. Ask a technician to look.",
    ),
    "alarm_storage_fails": (
        "服务中心的磁盘已满或写不进去：新的登记暂存在终端，腾出空间后会自动补上。请立即联系技术人员。",
        "The centre's disk is full or can't be written: new records wait at the terminals and come by themselves once there is room. Call a technician now.",
    ),
    "alarm_restored": (
        "服务中心的数据已从备份恢复，终端正在补传之后的记录。请核对备份之后在本台答复过的来访。",
        "The centre's data came back from a backup; terminals send what came after it. Please check visits answered here since.",
    ),
    "alarm_bad_signature": (
        "{subject} 发来的记录签名不符，未予采信，原文已留存。请联系技术人员核查该终端。",
        "Messages in the name of {subject} are not signed by its key; they are kept, not believed. Ask a technician to look.",
    ),
    "alarm_log_replaced": (
        "{subject} 另起了一份新记录，未说明来由：可能重装过，或有两台终端同名。请核对。",
        "{subject} began a new log that names no earlier one: re-installed, or two terminals of one name. Please check.",
    ),
    "alarm_kid_taken": (
        "{subject} 的通行证密钥编号已被占用，该密钥未启用；终端会自动更换。",
        "The pass key number of {subject} is taken; the key is not in use and the terminal makes another.",
    ),
    "alarm_unopened": (
        "{subject} 发来的个人信息无法打开，记录本身完整。请联系技术人员。",
        "Personal data from {subject} could not be opened; the records are whole. Ask a technician.",
    ),
    "alarm_log_reopened": (
        "{subject} 重新开始了记录（重装或恢复过）。请核对近期来访。",
        "{subject} began a new log (re-installed or restored). Please check recent visits.",
    ),
    # Records to look at
    "records": ("需要查看的记录", "Records to look at"),
    "records_link": ("查看记录", "Look at them"),
    "records_lead": (
        "这些数据都已原样留存，不会丢失，也不影响其他来访。内容可能含个人信息，这里只显示来由。",
        "All of this is kept as it came; nothing is lost, and no other visit waits for it. What is inside may name people, so only where it comes from is shown.",
    ),
    "records_none": ("没有需要查看的记录", "There is nothing to look at"),
    "records_none_more": ("每一条数据都已读懂并计入", "Everything that came was understood and counts"),
    "record_quarantined": ("尚不认识的记录", "Not understood yet"),
    "record_dead_letter": ("未采信的消息", "Message not taken"),
    "record_fork": ("另一版本的记录", "Another version of a record"),
    "record_at": ("收到时间", "Came"),
    "record_station": ("来自", "From"),
    "record_reason": ("原因", "Reason"),
    "record_size": ("大小", "Size"),
    "redrive": ("重新处理", "Try again"),
    "redrive_hint": ("系统升级或终端修好之后使用", "After an update, or once a terminal has been put right"),
    "redriven": (
        "已重新处理：{events} 条记录、{messages} 条消息已计入，{left} 条仍需查看。",
        "Tried again: {events} records and {messages} messages count now, {left} are left.",
    ),
    # Corrections
    "correct": ("更正", "Correct"),
    "correct_title": ("更正登记", "Correct the registration"),
    "correct_lead": (
        "原登记保持不变，更正记在旁边，注明何人、何时、为何。",
        "The registration stays as it is; a correction stands beside it, with who, when and why.",
    ),
    "correct_value": ("更正为", "New value"),
    "correct_reason": ("原因", "Reason"),
    "correct_choose": ("请选择", "Please choose"),
    "correct_save": ("记下更正", "Record the correction"),
    "corrections": ("更正记录", "Corrections"),
    "corrected_done": ("更正已记下，原登记仍保留。", "Recorded; the registration is kept beside it."),
    "corrected_from": ("原为", "was"),
    "value_gone": ("已删除", "deleted since"),
    "field_purpose": ("事由", "Purpose"),
    "field_building": ("楼栋", "Building"),
    "field_people": ("人数", "People"),
    "field_name": ("访客姓名", "Visitor's name"),
    "field_phone": ("访客电话", "Visitor's phone"),
    "field_host": ("被访", "To see"),
    "field_unit": ("单元", "Unit"),
    "field_room": ("房号", "Room"),
    "field_host_name": ("被访人", "Name"),
    "because_typo": ("录入有误", "typing mistake"),
    "because_visitor": ("访客说明", "the visitor said so"),
    "because_host": ("被访人说明", "the host said so"),
    "because_document": ("与证件核对", "checked against the document"),
    "nothing_changed": ("与现有内容相同，无需更正。", "That is what stands there already."),
    "no_such_value": ("请核对填写的内容，再试一次。", "Please check what you entered and try again."),
    "no_reason": ("请选择更正的原因。", "Please choose why."),
    "act_records.redriven": ("重新处理了记录", "tried records again"),
    "event_visit.corrected": ("{account} 更正：{field}", "{account} corrected: {field}"),
    # Stations
    "lobby": ("大堂终端", "Lobby terminal"),
    "gate": ("门岗", "Gate"),
    "online": ("在线", "Online"),
    "offline": ("离线", "Offline"),
    "offline_since": (
        "{time} 起离线。请查看终端电源与网线。",
        "Offline since {time}. Check power and network.",
    ),
    "backlog": ("{n} 条待上传", "{n} to upload"),
    "clock_off": ("时钟相差 {n} 秒", "Clock {n} s off"),
    "clock_wrong": ("时钟有误：暂停发证", "Clock wrong: no passes issued"),
    "name_taken": ("有另一台终端使用同名，请更改其中一台", "Another terminal uses this name: rename one"),
    "disk_full": ("磁盘已满，请清理", "Disk full: make room"),
    "no_policy": ("尚未收到规则", "No policy received yet"),
    "fault": ("故障", "Fault"),
    "id_reader": ("身份证阅读器", "ID reader"),
    "ticket_printer": ("凭条打印机", "Slip printer"),
    "code_scanner": ("扫码器", "Scanner"),
    "paper_out": ("缺纸，请换纸", "Out of paper: change the roll"),
    "cover_open": ("盖未合上", "Cover open"),
    "error": ("设备报错", "Reports an error"),
    "unplugged": ("未连接，请查看接线", "Unplugged: check the cable"),
    "unopenable": ("端口打不开", "Port can't be opened"),
    "forbidden": ("没有端口权限", "No right to use the port"),
    "busy": ("端口被占用", "Port in use"),
    "no_answer": ("无响应，请查看电源", "No answer: check its power"),
    "no_status": ("无状态回应", "No status"),
    # Visit's page
    "visit": ("来访详情", "Visit"),
    "standing": ("状态", "Status"),
    "host": ("被访", "To see"),
    "purpose": ("事由", "Purpose"),
    "phone": ("电话", "Phone"),
    "document": ("证件", "Document"),
    "name": ("姓名", "Name"),
    "registered": ("登记时间", "Registered"),
    "identity": ("身份核对", "Identity"),
    "identity_typed": ("本人填写", "Typed by the visitor"),
    "identity_card": ("读取身份证", "Identity card read"),
    "terminal": ("登记终端", "Terminal"),
    "pass": ("通行证", "Pass"),
    "pass_none": ("尚未签发", "Not issued"),
    "pass_until": ("{time} 前有效", "Valid until {time}"),
    "pass_expired": ("{time} 已到期", "Ended at {time}"),
    "pass_in": ("{time} 进门", "Entered {time}"),
    "pass_out": ("{time} 离开", "Left {time}"),
    "pass_refused": ("{time} 门岗未放行：{reason}", "Refused at {time}: {reason}"),
    "slip": ("凭条", "Slip"),
    "slip_none": ("尚未打印", "Not printed"),
    "slip_printed": ("已打印", "Printed"),
    "slip_unknown": ("不能确定是否打印，请看打印机", "Not known: look at the printer"),
    "slip_failed": ("未打印", "Not printed"),
    "person": ("访客信息", "The visitor"),
    "show": ("显示完整信息", "Show in full"),
    "show_note": ("每次查看都会留下记录", "Each look is recorded"),
    "shown": ("已记录本次查看，30 秒后自动隐藏", "This look is recorded; hidden again after 30 s"),
    "person_gone": ("没有留存个人信息", "No personal data is kept"),
    "recall": ("在终端调出", "Bring back at the terminal"),
    "answer_title": ("答复", "Answer"),
    "timeline": ("经过", "What happened"),
    "opened": ("查看与操作记录", "Who looked and did what"),
    "act_person.shown": ("查看了完整信息", "looked at the full data"),
    "act_visit.recalled": ("请终端调出来访", "brought the visit back at the terminal"),
    # Events
    "event_visit.registered": ("登记完成", "Registered"),
    "event_visit.decided": ("终端执行：{decision}（{by}）", "Terminal: {decision} ({by})"),
    "event_visit.decided_late": ("迟到的答复，仅记录：{decision}", "Came late, only recorded: {decision}"),
    "event_host.answered": ("{account} 答复：{decision}", "{account} answered: {decision}"),
    "event_pass.issued": ("签发通行证", "Pass issued"),
    "event_slip.printed": ("凭条：{outcome}", "Slip: {outcome}"),
    "event_visit.recalled": ("在终端调出", "Brought back at the terminal"),
    "event_staff.called": ("访客呼叫工作人员", "Visitor called for staff"),
    "event_staff.coming": ("{account} 前往协助", "{account} is on the way"),
    "event_pass.admitted": ("{gate} 放行进门", "Admitted at {gate}"),
    "event_pass.refused": ("{gate} 未放行：{reason}", "Refused at {gate}: {reason}"),
    "event_pass.left": ("{gate} 离开", "Left at {gate}"),
    "offline_note": ("门岗当时离线", "gate was offline"),
    "decision_agreed": ("同意来访", "agreed"),
    "decision_wait": ("请稍候", "wait"),
    "decision_away": ("主人不在", "host away"),
    "decision_declined": ("婉拒", "declined"),
    "by_policy": ("按规定直接同意", "by policy"),
    "by_staff": ("值守人员", "by staff"),
    "by_pin": ("现场口令", "staff PIN at the terminal"),
    "by_offline": ("离线规则", "offline rule"),
    "reason_ok": ("正常", "fine"),
    "reason_unreadable": ("读不出", "unreadable"),
    "reason_unknown_key": ("密钥不识别", "unknown key"),
    "reason_forged": ("不是本处签发", "not issued here"),
    "reason_key_not_valid": ("密钥超出许可", "key not valid for it"),
    "reason_revoked": ("已撤销", "revoked"),
    "reason_flagged": ("需人工核对", "needs a check"),
    "reason_not_yet": ("未到时间", "not yet valid"),
    "reason_expired": ("已过期", "expired"),
    "reason_other_site": ("其他小区的通行证", "another site's pass"),
    "reason_wrong_area": ("不含此区域", "not for this area"),
    "reason_used_up": ("次数已用完", "used up"),
    "reason_already_inside": ("已在内", "already inside"),
    "reason_ask_centre": ("需询问服务中心", "centre must be asked"),
    "reason_clock_wrong": ("门岗时钟有误", "gate's clock is wrong"),
    # Errors
    "error_404": ("没有这个页面", "There is no such page"),
    "error_404_more": ("它可能已经移走。请从看板继续。", "It may have moved. Please go on from the board."),
    "error_403": ("页面已过期", "This page has expired"),
    "error_403_more": ("请重新打开看板，再试一次。", "Please open the board again and retry."),
    "error_500": ("出了点问题，我们已记录", "Something went wrong; it is recorded"),
    "error_500_more": (
        "请稍后再试；若再次出现，请把编号 {id} 告诉技术人员。",
        "Please try again; if it happens again, give a technician the number {id}.",
    ),
}

_WEEKDAYS = (
    ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


class Speaker:
    """The texts in one language."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._at = LANGUAGES.index(self.language)

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of a key; KeyError where there is none."""
        return TEXTS[key][self._at].format(**values)

    def known(self, key: str, /, fallback: str, **values: object) -> str:
        """The same, for keys that come from outside and may be newer than we are."""
        return self(key, **values) if key in TEXTS else fallback

    def date(self, local: datetime) -> str:
        """`11月23日 星期一`, `Monday 23 November`."""
        weekday = _WEEKDAYS[self._at][local.weekday()]
        if self.language == "zh_CN":
            return f"{local.month}月{local.day}日 {weekday}"
        return f"{weekday} {local.day} {_MONTHS[local.month - 1]}"

    def when(self, local: datetime, today: datetime) -> str:
        """The time of day, with the date before it on another day."""
        clock = f"{local:%H:%M}"
        if local.date() == today.date():
            return clock
        if self.language == "zh_CN":
            return f"{local.month}月{local.day}日 {clock}"
        return f"{local.day} {_MONTHS[local.month - 1][:3]} {clock}"
