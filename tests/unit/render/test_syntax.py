"""How values are written into each form of file, and how the files are read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import UnsafeValue
from provisioning.render.syntax import FORMS
from provisioning.render.syntax.lines import PANASONIC_FIRST_LINES
from provisioning.vendors.schema import Syntax

# A checksum holds no value of anybody's.
VALUE_FORMS = [form for form in Syntax if form is not Syntax.CHECKSUM]
XML_FORMS = [form for form in VALUE_FORMS if form.value.endswith("xml")]
LINE_FORMS = [form for form in VALUE_FORMS if form not in XML_FORMS]
QUOTED_FORMS = [Syntax.VCARD, Syntax.MITEL, Syntax.PANASONIC, Syntax.AVAYA]
BREAKS = ["\n", "\r", "\r\n", "\0", "\x0b", "\x0c", "\x1b", "\ud800"]
HEAD = "#!version:1.0.0.1\n"
FANVIL_HEAD = "<<VOIP CONFIG FILE>>Version:2.0000000000  \n"

# One parameter with a value in it, as each form has it, and the name it is read back by.
DOCUMENTS = {
    Syntax.YEALINK: (HEAD + "phone.name = {}\n", "phone.name"),
    Syntax.YEALINK_BOOT: (HEAD + "overwrite_mode = {}\n", "overwrite_mode"),
    Syntax.VCARD: ("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:{}\r\nEND:VCARD\r\n", "FN"),
    Syntax.XML: ("<phone><line><user>{}</user></line></phone>", "phone/line/user"),
    Syntax.CISCO_XML: (
        '<flat-profile><Display_Name_1_ ua="na">{}</Display_Name_1_></flat-profile>',
        "Display_Name_1_",
    ),
    Syntax.CISCO_SEP_XML: (
        "<device><sipProfile><sipLines><line><name>{}</name></line></sipLines></sipProfile></device>",
        "line1/name",
    ),
    Syntax.POLY_XML: ('<?xml version="1.0"?>\n<PHONE><reg reg.1.label="{}"/></PHONE>', "reg.1.label"),
    Syntax.SNOM_XML: (
        '<settings><phone-settings><user_name idx="1" perm="RW">{}</user_name></phone-settings></settings>',
        "user_name[1]",
    ),
    Syntax.GRANDSTREAM_XML: (
        '<gs_provision><config><item name="a"><part name="b">{}</part></item></config></gs_provision>',
        "a.b",
    ),
    Syntax.LINPHONE_XML: (
        '<config><section name="sip"><entry name="label">{}</entry></section></config>',
        "sip/label",
    ),
    Syntax.MITEL: ("^sip line1 display name: {}\n", "sip line1 display name"),
    Syntax.PANASONIC: (
        f'{PANASONIC_FIRST_LINES[0]}\r\nDISPLAY_NAME_1="{{}}"\r\n\r\n',
        "DISPLAY_NAME_1",
    ),
    Syntax.GIGASET_XML: (
        '<provisioning><nvm><param name="SipAccount.1.UserName" value="{}"/></nvm></provisioning>',
        "SipAccount.1.UserName",
    ),
    Syntax.GIGASET_FRAME: (
        "<ProviderFrame><Provider><SYMB_ITEM ID=\"a\" value='\"{}\"'/></Provider></ProviderFrame>",
        "a",
    ),
    Syntax.GIGASET_DIRECTORY: (
        '<!DOCTYPE LocalDirectory>\n<list><entry surname="{}"/></list>',
        "surname",
    ),
    Syntax.GIGASET_ONLINE: ('<list total="{}"/>', "total"),
    Syntax.FANVIL_TEXT: (FANVIL_HEAD + "LCD Title          :{}\n<<END OF FILE>>\n", "LCD Title"),
    Syntax.FANVIL_XML: (
        '<sysConf><sip><line index="1"><DisplayName>{}</DisplayName></line></sip></sysConf>',
        "sip.line.1.DisplayName",
    ),
    Syntax.HTEK_XML: ("<hl_provision><config><P3>{}</P3></config></hl_provision>", "P3"),
    Syntax.OBI_XML: ("<ParameterList><O><N>A.</N><P><N>b</N><V>{}</V></P></O></ParameterList>", "A.b"),
    Syntax.TWO_N_XML: (
        '<DeviceDatabase><Phone><Sip At="0"><Id>{}</Id></Sip></Phone></DeviceDatabase>',
        "Phone/Sip0/Id",
    ),
    Syntax.ALGO: ("admin.devname = {}\n", "admin.devname"),
    Syntax.INI: ("[sip]\nvoip/line/0/id={}\n", "voip/line/0/id"),
    Syntax.AVAYA: ("## Account\nSET DISPLAY_NAME {}\n", "DISPLAY_NAME"),
    Syntax.ALE_XML: ('<settings><setting id="Account1Label" value="{}"/></settings>', "Account1Label"),
    Syntax.DIGIUM_XML: ('<config><setting id="ntp_server" value="{}"/></config>', "ntp_server"),
    Syntax.VTECH: ("sip_account.1.label = {}\n", "sip_account.1.label"),
}  # fmt: skip

printable = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\x85\ufffe\uffff"
    ),
    min_size=1,
)


@pytest.mark.parametrize("form", VALUE_FORMS)
def test_every_form_is_shown_here(form: Syntax):
    """Each syntax a vendor may name can be written and read."""
    assert form in FORMS
    assert form in DOCUMENTS


@pytest.mark.parametrize("form", VALUE_FORMS)
@given(value=printable)
def test_any_printable_value_comes_back_alone(form: Syntax, value: str):
    """Whatever can be printed is read back as it was, and adds no parameter."""
    template, name = DOCUMENTS[form]
    text = template.format(FORMS[form].escape(value))
    shown = value.strip() if form in LINE_FORMS and form not in QUOTED_FORMS else value
    shown = shown.replace('"', "'") if form is Syntax.PANASONIC else shown
    assert FORMS[form].parse(text) == [(name, shown)]


@pytest.mark.parametrize("form", VALUE_FORMS)
@given(value=st.text())
def test_any_value_is_refused_or_adds_nothing(form: Syntax, value: str):
    """Even hostile text gives the one parameter it stands in, or is refused."""
    template, name = DOCUMENTS[form]
    try:
        escaped = FORMS[form].escape(value)
    except UnsafeValue:
        return
    assert [found for found, _ in FORMS[form].parse(template.format(escaped))] == [name]


@pytest.mark.parametrize("form", VALUE_FORMS)
@pytest.mark.parametrize("character", BREAKS, ids=ascii)
def test_breaks_and_controls_are_refused(form: Syntax, character: str):
    """A character that ends a line, or that XML cannot carry, is refused and named."""
    with pytest.raises(UnsafeValue, match=f"U\\+{ord(character[0]):04X} as character 4"):
        FORMS[form].escape(f"Ada{character}x")


@pytest.mark.parametrize("value", ["BEGIN:VCARD", "VERSION:4.0", "END:VCARD", "END:VCARD\\n"])
def test_words_of_a_vcard_are_values_like_any(value: str):
    """A name made of the lines that a vCard begins and ends with adds no card and ends none."""
    form = FORMS[Syntax.VCARD]
    text = DOCUMENTS[Syntax.VCARD][0].format(form.escape(value))
    assert form.parse(text + text) == [("FN", value)] * 2


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCARD\r\nFN:Ada\r\nEND:VCARD\r\n",
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\n",
        "BEGIN:VCARD\r\nVERSION:4.0\r\nBEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\n",
        "FN:Ada\r\n",
        "BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\nFN:Ada\r\n",
    ],
    ids=["no version", "no end", "card in card", "no card", "after a card"],
)
def test_a_broken_vcard_is_refused(text: str):
    """What is outside of a card, or a card without its version or end, is no list of vCards."""
    with pytest.raises(ValueError, match="vCard"):
        FORMS[Syntax.VCARD].parse(text)


@pytest.mark.parametrize("form", XML_FORMS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "no XML",
        "<open>",
        '<!DOCTYPE x [<!ENTITY a "b">]><config>&a;</config>',
        "<a/><b/>",
        "<config>&nbsp;</config>",
    ],
)
def test_what_is_not_xml_is_not_read(form: Syntax, text: str):
    """Broken XML and documents with a DOCTYPE are refused."""
    with pytest.raises(ValueError):
        FORMS[form].parse(text)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Syntax.SNOM_XML, "<config/>"),
        (Syntax.CISCO_SEP_XML, "<flat-profile/>"),
        (Syntax.GRANDSTREAM_XML, "<settings/>"),
        (Syntax.LINPHONE_XML, "<gs_provision/>"),
        (Syntax.FANVIL_XML, "<VOIP_CONFIG_FILE/>"),
        (Syntax.FANVIL_TEXT, "Time Zone :4\n<<END OF FILE>>\n"),
        (Syntax.FANVIL_TEXT, FANVIL_HEAD + "Time Zone :4\n"),
        (Syntax.FANVIL_TEXT, FANVIL_HEAD + "Time Zone\n<<END OF FILE>>\n"),
        (Syntax.HTEK_XML, "<gs_provision/>"),
        (Syntax.YEALINK, "phone.name = x\n"),
        (Syntax.YEALINK, HEAD + "no equals sign\n"),
        (Syntax.YEALINK, HEAD + "a key with blanks = x\n"),
        (Syntax.YEALINK_BOOT, "overwrite_mode = 1\n"),
        (Syntax.VCARD, "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\nEND:VCARD\r\n"),
        (Syntax.VCARD, "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:x\r\n"),
        (Syntax.VCARD, "BEGIN:VCARD\r\nVERSION:4.0\r\nno property\r\nEND:VCARD\r\n"),
        (Syntax.MITEL, "sip line1 mode\n"),
        (Syntax.MITEL, "sip_line1_mode: 0\n"),
        (Syntax.PANASONIC, 'NTP_ADDR="pool.ntp.org"\r\n\r\n'),
        (Syntax.PANASONIC, PANASONIC_FIRST_LINES[0] + '\r\nNTP_ADDR="pool.ntp.org"\r\n'),
        (Syntax.PANASONIC, PANASONIC_FIRST_LINES[1] + '\r\nNTP_ADDR = "pool.ntp.org"\r\n\r\n'),
        (Syntax.PANASONIC, PANASONIC_FIRST_LINES[1] + '\nNTP_ADDR="pool.ntp.org"\n\n'),
        (Syntax.YEALINK_BOOT, HEAD + "account.1.enable = 1\n"),
        (Syntax.YEALINK_BOOT, HEAD + "include:config <a> <b>\n"),
    ],
)
def test_a_file_of_another_form_is_not_read(form: Syntax, text: str):
    """A file that lacks its form's first line, root or shape is refused."""
    with pytest.raises(ValueError):
        FORMS[form].parse(text)


def test_yealink_comments_and_blank_lines_are_no_parameters():
    """Comments and blank lines of a Yealink file say nothing."""
    text = HEAD + "\n# a comment = 1\nphone.name = Ada = x\n"
    assert FORMS[Syntax.YEALINK].parse(text) == [("phone.name", "Ada = x")]


def test_boot_file_gives_its_includes_in_order():
    """A boot file is read as the files it includes and its mode."""
    text = HEAD + 'include:config <a.cfg>\ninclude:config "b.cfg"\noverwrite_mode = 1\n'
    assert FORMS[Syntax.YEALINK_BOOT].parse(text) == [
        ("include:config", "a.cfg"),
        ("include:config", "b.cfg"),
        ("overwrite_mode", "1"),
    ]


def test_mitel_marks_and_quotes_are_no_part_of_name_and_value():
    """A Mitel line is read without the mark before its name and the quotes around its value."""
    text = '# a comment\n\n!admin password: 22222\n^sip dial plan: "x#;911"\ndirectory 1:\n'
    assert FORMS[Syntax.MITEL].parse(text) == [
        ("admin password", "22222"),
        ("sip dial plan", "x#;911"),
        ("directory 1", ""),
    ]


def test_digium_accounts_are_told_apart_and_linked_files_are_named():
    """An account's path has its index; the lists of contacts and of keys are fetched by URL."""
    text = (
        '<config><setting id="locale" value="en_US" /><contacts url="http://a/c" id="keys" />'
        '<smart_blf><blf_items url="http://a/k" /></smart_blf>'
        '<accounts><account index="1" username="1002"><host_primary server="pbx" /></account>'
        "</accounts></config>"
    )
    form = FORMS[Syntax.DIGIUM_XML]
    assert set(form.parse(text)) >= {
        ("locale", "en_US"),
        ("accounts/account[1]@username", "1002"),
        ("accounts/account[1]/host_primary@server", "pbx"),
    }
    assert form.links(text) == ["http://a/c", "http://a/k"]


def test_cisco_lines_are_told_apart_by_index_and_button():
    """An account is read by its index, what a button shows by the button, the rest by path."""
    text = (
        "<device><label>Ada</label><sipProfile><sipLines>"
        '<line button="3" lineIndex="1"><name>1001</name></line>'
        '<line button="5"><featureID>21</featureID></line>'
        "</sipLines></sipProfile></device>"
    )
    assert [pair for pair in FORMS[Syntax.CISCO_SEP_XML].parse(text) if pair[1]] == [
        ("device/label", "Ada"),
        ("button3/name", "1001"),
        ("line1/name", "1001"),
        ("button5/featureID", "21"),
    ]


def test_avaya_keys_are_told_apart_by_their_number():
    """All keys are set by one name, so that the key's number is part of it."""
    text = 'SET PHONEKEY "Key=1;Name=primary"\nSET PHONEKEY "Key=24;Name=dnd"\n'
    assert FORMS[Syntax.AVAYA].parse(text) == [
        ("PHONEKEY.1", "Key=1;Name=primary"),
        ("PHONEKEY.24", "Key=24;Name=dnd"),
    ]


def test_fanvil_keys_are_told_apart_by_their_page():
    """Pages of keys repeat their labels, so that the page's heading is part of the name."""
    text = (
        FANVIL_HEAD
        + "<PHONE FEATURE MODULE>\n--Display Input--  :\nLCD Title :Ada: 1\n\n<DSSKEY CONFIG MODULE>\n"
        + "--Sidekey Config1--:\nFkey1 Type :2\n--Dsskey Config1--:\nFkey1 Type :0\n<<END OF FILE>>\n"
    )
    assert FORMS[Syntax.FANVIL_TEXT].parse(text) == [
        ("LCD Title", "Ada: 1"),
        ("Sidekey Config1/Fkey1 Type", "2"),
        ("Dsskey Config1/Fkey1 Type", "0"),
    ]


@pytest.mark.parametrize(
    "text", ["", "d41d8cd98f00b204e9800998ecf8427", "D41D8CD98F00B204E9800998ECF8427E"]
)
def test_a_checksum_is_one_of_md5(text: str):
    """A file that holds anything but an MD5 in lower-case hex is none."""
    with pytest.raises(ValueError):
        FORMS[Syntax.CHECKSUM].parse(text)
    assert FORMS[Syntax.CHECKSUM].parse("d41d8cd98f00b204e9800998ecf8427e\n")
