"""Each of the plugins that an account may use: one HTTP call, our words unchanged in it, and no other way out."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import orjson
import pytest
from yarl import URL

from services.social.channels.apprise.compose import MessagePayload
from services.social.channels.apprise.line import PASSED_ON, SETTLED_HERE, Requests, check, refused
from services.social.channels.apprise.plugin import NOT_AN_ADDRESS, REQUESTS, Plugin
from services.social.channels.apprise.reach import SERVICES
from services.social.channels.transport import Answer
from shared.delivery.errors import (
    LONGEST_WAIT,
    AuthDead,
    DeliveryError,
    GiveUp,
    OutcomeUnknown,
    TryAgain,
)

A = "a" * 40
SAMPLES = {
    "bale": f"bale://123456789:{A[:35]}/987",
    "bark": "barks://bark.example/devicekey",
    "chanify": "chanify://aaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbb",
    "custom_form": "forms://hooks.example/x",
    "custom_json": "jsons://hooks.example/x",
    "custom_xml": "xmls://hooks.example/x",
    "dingtalk": f"dingtalk://{A[:32]}",
    "feishu": f"feishu://{A[:32]}",
    "flock": f"flock://{A[:36]}",
    "gotify": "gotifys://push.example/token",
    "groupme": f"groupme://{A[:26]}",
    "home_assistant": "hassios://home.example/token",
    "humhub": "humhubs://token@hub.example/5",
    "ifttt": "ifttt://webhookid@event",
    "join": f"join://{A[:32]}/{A[:31]}b",
    "lark": f"lark://{A[:36]}",
    "line": "line://token/target",
    "mattermost": f"mmosts://chat.example/{A[:26]}",
    "misskey": "misskeys://token@key.example",
    "nextcloudtalk": "nctalks://user:pass@cloud.example/room",
    "notica": "notica://aaaaaa",
    "notifiarr": "notifiarr://apikey/123456789",
    "notifico": f"notifico://1234/{A[:32]}",
    "ntfy": "ntfys://topic",
    "one_signal": "onesignal://appid@apikey/player",
    "onebot": "onebots://token@bot.example/123",
    "pushbullet": "pbul://token",
    "pushed": "pushed://appkey/appsecret",
    "pushjet": "pjets://push.example/secret",
    "pushme": "pushme://token",
    "pushover": f"pover://{A[:30]}@{A[:29]}b",
    "pushsafer": "psafers://key",
    "pushy": "pushy://apikey/device",
    "qq": f"qq://{A[:32]}",
    "ryver": f"ryver://org/{A[:15]}",
    "serverchan": "schan://sendkey",
    "signal_api": "signals://signal.example/12345678901/12345678902",
    "spugpush": f"spugpush://{A[:32]}",
    "stackfield": "stackfield://aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
    "synology": "synologys://disk.example/token",
    "techuluspush": "push://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
    "threema": "threema://*AAAAAAA@secret/ABCDEFGH",
    "viber": "viber://token/target",
    "wecombot": f"wecombot://{A[:36]}",
    "wpush": f"wpush://WPUSH{A[:27]}",
    "wxpusher": "wxpusher://AT_appid/UID_abc",
    "zoom": "zoom://webhook/token",
    "zulip": f"zulip://bot@org/{A[:32]}",
}
TAKEN = {
    "viber": {"status": 0},
    "wpush": {"code": 0},
    "wxpusher": {"code": 1000, "data": [{"code": 1000}]},
}
"""What a plugin wants to read of a success, where it is particular."""
TITLE, WORDS = "Ferry & <b> returns", "*Night* boat_sails :smile: & <i> 100% 👩🏽‍🚒"
LINK = "https://news.example/q?utm_source=x&a=_b_"


class Recorded:
    """In place of the line: keeps what would leave, and says that it was taken."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.calls: list[Any] = []
        self._body = orjson.dumps(body)

    def carry(self, prepared: Any) -> Any:
        self.calls.append(prepared)
        response = importlib.import_module("requests").Response()
        response.status_code, response._content = 200, self._body
        return response


@pytest.mark.parametrize("file", sorted(SERVICES))
def test_a_message_is_one_call_with_our_words_in_it(file: str) -> None:
    plugin = Plugin(SAMPLES[file])
    line: Any = Recorded(TAKEN.get(file, {"ok": True, "status": 1, "success": True}))
    message = MessagePayload(
        title=TITLE if plugin.room.title else "", body=f"{WORDS}\n\n{LINK}", kind="info", limit=200
    )
    assert plugin._send(message, line) is True
    [call] = line.calls
    body = call.body.decode() if isinstance(call.body, bytes) else call.body or ""
    sent = readable(f"{call.url}\n{body}")
    for words in (message.title, WORDS, LINK):
        assert words in sent
    check(URL(call.url, encoded=True))  # of a public host only over HTTPS


def readable(sent: str) -> str:
    """What was sent, and the same out of the forms that it may be in: a query, JSON, XML."""
    forms = [sent, unquote_plus(sent)]
    forms += [form.encode("ascii", "backslashreplace").decode("unicode_escape") for form in forms]
    forms = [form.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for form in forms]
    forms += [
        form.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for form in forms
    ]
    return "\n".join(forms)


CLOSED = frozenset({
    "asyncio", "ctypes", "ftplib", "http", "multiprocessing", "shutil", "smtplib", "socket", "ssl",
    "subprocess", "telnetlib", "tempfile", "threading", "urllib.request", "xmlrpc", "aiohttp", "httpx",
    "urllib3", "paho", "slixmpp", "gntp", "dbus", "gi",
})  # fmt: skip
"""Modules by which a plugin could go elsewhere than over the line."""


@pytest.mark.parametrize("file", sorted(SERVICES))
def test_a_plugin_has_no_other_way_out(file: str) -> None:
    module = importlib.import_module(f"apprise.plugins.{file}")
    tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in (alias.name for alias in node.names):
                assert name not in CLOSED
                assert name.partition(".")[0] not in CLOSED
                assert not name.startswith("requests.")
        elif isinstance(node, ast.ImportFrom):
            assert node.module not in CLOSED
            assert (node.module or "").partition(".")[0] not in CLOSED | {"requests"}
            assert not (node.level and node.module in {"utils.http", "utils.socket"})
        elif isinstance(node, ast.Attribute) and _is_requests(node.value):
            assert hasattr(Requests, node.attr), node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if _is_requests(node.func.value):
                assert {each.arg for each in node.keywords} <= PASSED_ON | SETTLED_HERE
            elif isinstance(node.func.value, ast.Name) and node.func.value.id == "os":
                assert node.func.attr not in {"system", "popen", "execv", "fork", "remove", "open"}


def _is_requests(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "requests"


@pytest.mark.parametrize(
    "address",
    [
        "gotifys://",
        "gotifys://push.example",
        "ntfys://push.example/one/two",
        "pover://tooshort",
        "mmosts://chat.example",
        "jsons://hooks.example/x?method=PRAY",
        "wecombot://?key=",
    ],
)
def test_an_address_that_is_none_is_given_up_in_words_that_repeat_nothing(
    address: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(GiveUp) as caught:
        Plugin(address)
    assert caught.value.reason in {
        NOT_AN_ADDRESS,
        "the address must name exactly one target: connect an account for each",
    }
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_the_stand_in_for_requests_has_nothing_that_nobody_thought_about() -> None:
    REQUESTS.use(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="nobody has thought about: proxies"):
        REQUESTS.post("https://news.example", proxies={"https": "http://elsewhere"})
    for name in ("Session", "adapters", "delete", "exceptions"):
        assert not hasattr(REQUESTS, name)


def test_nothing_of_apprise_is_loaded_before_it_is_used() -> None:
    told = (
        "import sys; from services.social.channels import discover; discover();"
        "print([name for name in ('apprise', 'requests') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (302, GiveUp), (400, GiveUp), (401, AuthDead), (403, AuthDead), (404, AuthDead),
        (408, OutcomeUnknown), (410, AuthDead), (422, GiveUp), (429, TryAgain),
        (500, OutcomeUnknown), (502, OutcomeUnknown), (503, OutcomeUnknown),
    ],
)  # fmt: skip
def test_an_answer_is_sorted_by_its_status_and_quoted_by_nothing_else(
    status: int, outcome: type[DeliveryError]
) -> None:
    error = refused(Answer(status, {}, {"error": "secret"}, "secret"))
    assert type(error) is outcome
    assert error.reason == f"the service answered {status}"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("9" * 400, LONGEST_WAIT),
        ("", 60.0),
        ("soon", 60.0),
        ("-5", 60.0),
        ("²", 60.0),
        ("Mon, 23 Nov 2020 09:30:00 GMT", 1.0),
    ],
)
def test_a_wait_is_read_as_http_writes_it(told: str, seconds: float) -> None:
    error = refused(Answer(429, {"retry-after": told}, None, ""))
    assert isinstance(error, TryAgain)
    assert (error.after, error.whole_account) == (seconds, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example.org/message",
        "http://push.example.org:8080/message",
        "https://push.example.org:8443/message",
        "http://8.8.8.8/",
    ],
)
def test_a_public_host_is_called_encrypted_and_at_the_usual_port(url: str) -> None:
    with pytest.raises(GiveUp, match="the service's address must"):
        check(URL(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://push.example.org/x",
        "http://127.0.0.1:8090/x",
        "http://push:8080/x",
        "http://[::1]/x",
    ],
)
def test_whether_a_private_host_may_be_called_is_left_to_the_session(url: str) -> None:
    check(URL(url))
