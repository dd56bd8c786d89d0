"""The texts of the report: all in one file, none missing, none left over, none filled in wrongly."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import nodes
from markupsafe import Markup

from fer_batch.emotions import EMOTIONS
from fer_batch.report import texts as strings
from fer_batch.report.layout import SCRIPTS as SCRIPTS_OF_PAGES
from fer_batch.report.layout import make_environment

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").glob("*.html"))
SCRIPTS = sorted((ROOT / "templates").rglob("*.js"))
MODULES = sorted((ROOT / "fer_batch").rglob("*.py"))
PAGES = [
    ROOT / "fer_batch" / "report" / f"{name}.py"
    for name in "findings methods pages/base pages/groups pages/index pages/overview pages/photos pages/video "
    "charts/draw charts/script_data".split()
]
"""The modules that make what pages show."""
SEEN = {"alt", "aria-label", "content", "placeholder", "title"}
"""Attributes that readers see or hear."""
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]|^[A-Z][a-z]")

Use = tuple[str, frozenset[str]]
"""A key, and the names of the values that it is given."""


def uses_in_template(path: Path) -> Iterator[Use]:
    for call in make_environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "say":
            (key,) = call.args
            yield key.as_const(), frozenset(one.key for one in call.kwargs)


def uses_in_module(path: Path) -> Iterator[Use]:
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "say":
            (key,) = call.args
            for name in [ast.literal_eval(key)] if isinstance(key, ast.Constant) else expanded(ast.unparse(key)):
                yield name, frozenset(one.arg for one in call.keywords if one.arg)


def uses_in_script(path: Path) -> Iterator[Use]:
    for key, values in re.findall(r'\bsay\("(\w+)"(?:, {(.*?)})?\)', path.read_text(encoding="utf-8")):
        names = re.findall(r"(?:^ |, )(\w+)(?=[:,]| $)", values)
        script = path.stem if path.parent.name == "templates" else path.parent.name
        yield f"{script}_script.{key}", frozenset(names)


def expanded(key: str) -> list[str]:
    """The only keys that are put together."""
    form = re.fullmatch(r"f'emotions\.{emotion}\.(\w+)'", key)
    assert form
    return [f"emotions.{name}.{form[1]}" for name in EMOTIONS]


def uses() -> list[Use]:
    return [
        *(use for path in TEMPLATES for use in uses_in_template(path)),
        *(use for path in MODULES for use in uses_in_module(path)),
        *(use for path in SCRIPTS for use in uses_in_script(path)),
    ]


def without_form(key: str) -> str:
    return re.sub(r"\.(one|other)$", "", key)


def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    assert {key for key, _ in uses()} == {without_form(key) for key in strings.texts()}


def test_every_text_is_given_the_values_that_it_names() -> None:
    given = dict(uses())
    assert [use for use in uses() if given[use[0]] != use[1]] == []
    for key, text in strings.texts().items():
        named = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        may_lack = {"n"} if key.endswith((".one", ".other")) else set()
        assert named <= given[without_form(key)] <= named | may_lack, key


def test_a_text_with_a_form_has_the_other_form_too() -> None:
    forms = [key for key in strings.texts() if key != without_form(key)]
    assert sorted(forms) == sorted(
        f"{key}.{form}" for key in set(map(without_form, forms)) for form in ("one", "other")
    )


def test_plain_texts_hold_no_html() -> None:
    assert [
        key for key, text in strings.texts().items() if re.search("[<>]|&[a-z#]", text) and "_html" not in key
    ] == []


class Bare(HTMLParser):
    """Collects the text of a template that does not come from the file of texts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open = tag
        named = dict(attributes)
        if tag != "meta":  # those are for browsers
            self.found += [named[name] or "" for name in SEEN & named.keys()]

    def handle_data(self, data: str) -> None:
        if self.open not in {"script", "style"}:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.open = ""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_text_of_their_own(path: Path) -> None:
    bare = Bare()
    bare.feed(re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))
    assert [text for text in bare.found if re.search("[A-Za-z]", text)] == []
    texts = [one.value for one in make_environment().parse(path.read_text()).find_all(nodes.Const)]
    assert [text for text in texts if isinstance(text, str) and SENTENCE.search(text)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_modules_of_pages_hold_no_text_of_their_own(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    comments = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    comments |= {id(one) for raised in ast.walk(tree) if isinstance(raised, ast.Raise) for one in ast.walk(raised)}
    hints = {"pd.DataFrame", "PathPatch", "Axes"}
    texts = [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and id(one) not in comments]
    assert [text for text in texts if isinstance(text, str) and SENTENCE.search(text) and text not in hints] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_text_of_their_own(path: Path) -> None:
    code = re.sub(r"//.*|querySelector\w*\(.*?\)", "", path.read_text(encoding="utf-8"))
    texts = [text for _, text in re.findall(r"""(["'`])((?:(?!\1).)*)\1""", code)]
    bare = [re.sub(r"\$\{[^{}]*\}|<[^>]*>?|^[^<]*/>", "", text) for text in texts]  # without values and markup
    assert [text for text in bare if SENTENCE.search(text)] == []


def test_a_text_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match=r"strings\.toml has no text video\.nonsense"):
        strings.say("video.nonsense")


def test_values_are_text_in_texts_and_escaped_in_markup() -> None:
    assert strings.say("charts.curve", name="<b> {n}") == "Shares along the video, <b> {n}"
    shown = strings.say("video.range_html", range="<b>")
    assert isinstance(shown, Markup)
    assert shown == "Shown: &lt;b&gt;"


def test_a_count_chooses_the_form() -> None:
    forms = [strings.say("video.hatched", n=n).split(" in which")[0] for n in (0, 1, 1234)]
    assert forms == ["Hatched: 0 stretches", "Hatched: 1 stretch", "Hatched: 1,234 stretches"]


def test_texts_of_scripts_that_are_put_together_have_keys_of_their_own():
    for parts in SCRIPTS_OF_PAGES.values():
        owners = dict.fromkeys(part.partition("/")[0].removesuffix(".js") for part in parts)
        keys = [key for owner in owners for key in strings.section(f"{owner}_script")]
        assert len(keys) == len(set(keys))
