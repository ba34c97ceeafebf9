"""What candidates wrote is shown without what tells who they are."""

import pytest

from analytics.dashboards.quotes import LONGEST, masked


@pytest.mark.parametrize(
    "personal",
    [
        "13812345678",
        "+86 138 1234 5678",
        "138-1234-5678",
        "44030719900101123X",
        "0755-86013388",
        "138.1234.5678",
        "138·1234·5678",
        "zhang.san@example.com",
        "https://example.com/zhangsan",
        "微信号：zhangsan_88",
        "wx zhangsan88",
        "WeChat: zhangsan88",
        "QQ:123456789",
    ],
)
def test_numbers_addresses_and_accounts_are_masked(personal):
    said = masked(f"时间冲突,请联系 {personal} ,谢谢")
    assert personal not in said
    assert "＊＊" in said
    assert said.startswith("时间冲突")
    assert said.endswith("谢谢")


def test_known_names_are_masked_wherever_they_stand():
    assert masked("我是张三,张三想改时间", ["张三", "李四"]) == "我是＊＊,＊＊想改时间"
    assert masked("Zhang San cannot come", ["zhang san"]) == "＊＊ cannot come"


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("加我微信 Lihua_2020 吧", "Li", "加我＊＊ 吧"),
        ("写到 li.hua@example.com", "Li", "写到 ＊＊"),
        ("我叫欧阳春夏秋，有事", "欧阳春夏秋", "我叫＊＊，有事"),
        ("My name is Lihua Wang.", "Li", "My name is ＊＊."),
        ("My name is Anna Maria Lopez.", "Anna Maria Lopez", "My name is ＊＊."),
    ],
)
def test_names_inside_what_is_masked_leave_nothing_of_it(text, name, shown):
    assert masked(text, [name]) == shown


def test_numbers_after_other_numbers_are_masked_whole():
    assert masked("12 138.0013.8000") == "＊＊"


def test_names_people_give_themselves_are_masked():
    assert "王小明" not in masked("我叫王小明,临时有事")


def test_what_tells_nobody_stays():
    text = "5月9日 14:00 要考试，第 2 次改期，公司在 3 楼"
    assert masked(text) == text


def test_long_words_are_cut():
    assert len(masked("很忙" * 200)) == LONGEST
