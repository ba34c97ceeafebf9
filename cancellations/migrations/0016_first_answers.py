"""What people ask, as every installation begins with it; HR words it anew at the desk."""

from django.db import migrations

from cancellations.help.terms import cut

# Question and answer in Chinese and English, and other words for it.
ANSWERS = [
    (
        "取消面试后，还能申请该岗位吗？",
        "可以。取消只结束这一次预约，不影响您的申请。如需新的时间，请联系HR。",
        "Can I apply for the position again after cancelling?",
        "Yes. Cancelling ends this one appointment, not your application. Contact HR for a new time.",
        "再次申请 重新申请 apply again",
    ),
    (
        "取消记录会影响未来求职吗？",
        "及时取消不会。临近开始的取消会记录为临时取消，在您确认之前页面会说明。",
        "Does a cancellation count against me later?",
        "Cancelling in time does not. A cancellation shortly before the start is recorded as short "
        "notice; you see that before you confirm.",
        "影响 失信 记录 record",
    ),
    (
        "为什么有时需要HR处理？",
        "临近开始时，已有人为您做了准备。面试页面会显示从何时起由HR处理、需要多久，以及逾期未处理时的结果。",
        "Why does HR have to decide in some cases?",
        "Shortly before the start people have already prepared for you. The page of your interview "
        "shows from when on HR decides, how long that takes, and what happens if nobody decides in "
        "time.",
        "审批 同意 approval approve",
    ),
    (
        "取消后能撤回吗？",
        "HR处理之前可以：打开该面试，点击保留面试。取消完成后无法恢复，如需新的时间请联系HR。",
        "Can I take a cancellation back?",
        "While HR has not decided, yes: open the interview and press Keep my interview. Once "
        "cancelled it cannot be restored; contact HR for a new time.",
        "撤回 恢复 undo",
    ),
    (
        "凭证有什么用？",
        "凭证证明您在何时取消或退出。任何持有编号的人都可以在此核验，无需登录；页面只显示隐去部分的姓名。",
        "What is the receipt for?",
        "It proves that and when you cancelled or left. Anybody who holds its number can check it "
        "here, without signing in; it shows only a masked name.",
        "证明 编号 proof",
    ),
    (
        "24小时后状态仍不对，怎么办？",
        "请带上凭证编号致电或来信，HR会与您一起核对记录。",
        "The status still looks wrong after 24 hours. What now?",
        "Call or write to us with the number of your receipt. HR goes through the record with you.",
        "状态 错误 wrong",
    ),
    (
        "面试中断网或关闭了页面，答案会丢吗？",
        "不会。您输入的内容随时保存；离线时保存在本机，恢复网络后自动上传。重新登录并打开面试即可继续。",
        "I lost my connection or closed the page. Are my answers lost?",
        "No. What you write is saved as you type; offline it is kept on your device and sent when "
        "you are back. Sign in, open the interview and go on.",
        "断网 掉线 网络 卡住 offline network connection",
    ),
    (
        "我可以中途休息一下吗？",
        "可以。离开页面即可，答案已保存；请在面试页面显示的时间之前回来继续。每题的限时只在您在线时计算。",
        "May I take a break?",
        "Yes. Just leave the page; your answers are saved. Come back before the time shown on the "
        "interview's page. Time limits count only while you are connected.",
        "休息 暂停 稍后 pause later",
    ),
    (
        "麦克风或摄像头不能用，怎么办？",
        "打字即可作答，不会因此减分。如想录音，请在浏览器设置中允许使用麦克风，然后重新载入页面。",
        "My microphone does not work. What can I do?",
        "Typing is enough and does not count against you. To record, allow the microphone in your "
        "browser's settings and load the page again.",
        "录音 声音 设备 microphone camera device",
    ),
    (
        "中途退出会有什么后果？",
        "已回答的内容会保存，HR会看到您已退出及原因。退出前页面会说明是否需要HR同意、以及何时可以再次申请。网络中断、系统故障或误入不会造成任何影响。",
        "What happens if I leave in the middle?",
        "What you answered is kept, and HR sees that you left and why. Before you leave, the page "
        "says whether HR has to agree and from when you can apply again. A lost connection, a fault "
        "on our side or a false start has no consequences.",
        "退出 后果 leave exit",
    ),
    (
        "我的数据和录音谁能看到？",
        "只有负责该岗位的HR和面试官。录音加密保存，仅在您同意后录制，每次查看都有记录。",
        "Who sees my data and recordings?",
        "Only HR and the interviewers of this position. Recordings are made only with your consent "
        "and stored encrypted, and every look at them is written down.",
        "隐私 个人信息 privacy data",
    ),
]
INDEX = """
UPDATE cancellations_faqentry SET search =
    setweight(array_to_tsvector(%s::text[]), 'A') || setweight(to_tsvector('english', %s), 'A')
    || setweight(array_to_tsvector(%s::text[]), 'C') || setweight(to_tsvector('english', %s), 'C')
WHERE id = %s
"""


def add(apps, schema_editor):
    from django.db import connection

    FaqEntry = apps.get_model("cancellations", "FaqEntry")
    for order, (question_zh, answer_zh, question_en, answer_en, keywords) in enumerate(ANSWERS):
        entry, is_new = FaqEntry.objects.get_or_create(
            question_zh=question_zh,
            defaults={
                "answer_zh": answer_zh,
                "question_en": question_en,
                "answer_en": answer_en,
                "keywords": keywords,
                "order": order,
            },
        )
        asked, asked_words = cut(f"{question_zh} {question_en} {keywords}")
        told, told_words = cut(f"{answer_zh} {answer_en}")
        with connection.cursor() as cursor:
            cursor.execute(
                INDEX, [asked, " ".join(asked_words), told, " ".join(told_words), entry.pk]
            )


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0015_exit_reasons")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
