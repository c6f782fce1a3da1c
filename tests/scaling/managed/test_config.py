"""What streams.yml may say, what it comes to, and how a mistake is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew.scaling.managed
from clew.scaling.managed.config import ConfigError, parse_config, read_config
from clew.scaling.managed.config_model import json_schema, keys_by_section
from clew.scaling.managed.config_resolve import resolve, resolve_all
from clew.scaling.managed.settings import ManagedStream, Minimum

WHOLE = """\
version: 1
defaults:
  max: 8
  target: 70%
  scale_up: {alarm_at: 0.85, over: 10m}
streams:
  orders-{env}:
    min: 2
    retention: 36h
    scale_up: {over: 5m}
    schedule:
      - {from: 10:00, to: 12:30, min: 4, days: [mon-wed, sat], timezone: Europe/London}
    notify: {topic: "arn:aws:sns:eu-west-1:123456789012:clew-team"}
  clicks-*: {max: 6, cool_down: 90s, predictive: true}
  clicks-web-*: {max: 3, closed_shard_rate: 100%, isolate_hot_keys: true}
  fixed: {desired: 3, max: 4, mode: provisioned, method: operations, tags: {team: a}}
environments:
  prod:
    region: eu-west-1
    defaults: {min: 2, scale_down: {below: 40%, over: 12h, every: 3d}}
    streams:
      orders-{env}: {max: 30, iterator_age: 1m, shard_alarms: true}
  dev:
"""


def test_levels_are_put_over_each_other_section_by_section() -> None:
    config = parse_config(WHOLE)
    found = {one.name: one.settings for one in resolve(config, "prod").streams}
    assert found["orders-prod"] == ManagedStream(
        "orders-prod",
        2,
        30,
        target=0.7,
        alarm_at=0.85,  # of the defaults, though the stream has a scale_up of its own
        up_over_s=300,
        down_below=0.4,
        down_over_s=12 * 3600,
        down_every_s=3 * 86_400,
        schedule=(Minimum("10:00", "12:30", 4, (0, 1, 2, 5), "Europe/London"),),
        retention_h=36,
        iterator_age_alarm_s=60,
        shard_alarms=True,
        notify_topic="arn:aws:sns:eu-west-1:123456789012:clew-team",
        env="prod",
    )
    assert config.region("prod") == "eu-west-1"
    in_dev = {one.name: one.settings for one in resolve(config, "dev").streams}
    assert in_dev["orders-dev"].max_shards == 8
    assert in_dev["orders-dev"].down_below == ManagedStream("x", 1, 1).down_below
    fixed = in_dev["fixed"]
    assert (fixed.desired, fixed.method, fixed.tags) == (3, "operations", {"team": "a"})


def test_a_pattern_adopts_what_there_is_and_the_nearer_one_counts() -> None:
    config = parse_config(WHOLE)
    there = ["clicks-app", "clicks-web-1", "fixed", "other"]
    found = resolve(config, "dev", there)
    assert {one.name: one.settings.max_shards for one in found.streams} == {
        "clicks-app": 6,
        "clicks-web-1": 3,
        "fixed": 4,
        "orders-dev": 8,
    }
    by_name = {one.name: one for one in found.streams}
    assert by_name["clicks-app"].by_pattern
    assert not by_name["fixed"].by_pattern
    assert by_name["clicks-web-1"].settings.closed_shard_rate == 1.0
    assert found.idle == ()
    assert [one.name for one in resolve(config, "dev").idle] == ["clicks-web-*", "clicks-*"]
    assert list(resolve_all(config, "dev")) == ["orders-dev", "clicks-*", "clicks-web-*", "fixed"]


def test_settings_travel_to_the_functions_as_they_are() -> None:
    for one in resolve(parse_config(WHOLE), "prod", ["clicks-a"]).streams:
        assert ManagedStream.from_json(one.settings.to_json()) == one.settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.yml is empty; see clew streams init."),
        ("- 1", "f.yml:1: a streams.yml has the keys version and streams."),
        ("version: 1\nstreams: [", "f.yml:2 is not YAML: "),
        ("version: 1\n\tstreams:", "f.yml:2 is not YAML: "),
        ("version: 1\nstreams:\n  {env}-a: {max: 1}",
         "f.yml:3 is not YAML: a name that begins with { or * has to be in quotes."),
        ("version: 1\nstreams:\n  *-a: {max: 1}",
         "f.yml:3 is not YAML: a name that begins with { or * has to be in quotes."),
        ("version: 2\nstreams: {}", "f.yml:1: version is 2, and may be 1."),
        ("version: 1", "f.yml:1: streams is missing."),
        ("version: 1\nstreams: {a: {max: 2}}\nstream: {}",
         "f.yml:3: stream is not known here; did you mean streams?"),
        ("version: 1\nstreams:\n  a:\n    mx: 3",
         "f.yml:4: mx of a is not known here; did you mean max?"),
        ("version: 1\nstreams:\n  a:\n    max: 3\n    scale_up:\n      alarmat: 80%",
         "f.yml:6: scale_up.alarmat of a is not known here; did you mean alarm_at?"),
        ("version: 1\nstreams: {a: {max: 2}}\nenvironments:\n  dev:\n    streems: {}",
         "f.yml:5: streems of dev is not known here; did you mean streams?"),
        ("version: 1\nstreams:\n  a: {max: 1}\n  b: {max: 1}\n  a: {max: 2}",
         "f.yml:5: a stands there twice, first on line 3; put both together."),
        ("version: 1\nstreams:\n  a:\n    max: two",
         "f.yml:4: max of a is 'two', and has to be a whole number."),
        ("version: 1\nstreams:\n  a:\n    max: 2.5",
         "f.yml:4: max of a is 2.5, and has to be a whole number."),
        ("version: 1\nstreams:\n  a:\n    max: true",
         "f.yml:4: max of a is true, and has to be a whole number."),
        ("version: 1\nstreams:\n  a:\n    max: 20000",
         "f.yml:4: max of a is 20000, and may be 10,000 at most."),
        ("version: 1\nstreams:\n  a:\n    max:", "f.yml:4: max is empty; give it a value,"),
        ("version: 1\nstreams:\n  a: {max: 1, cool_down: 5}",
         "f.yml:3: cool_down of a: 5 has no unit; write it like 30s, 5m, 36h or 7d."),
        ("version: 1\nstreams:\n  a: {max: 1, cool_down: 5 min}",
         "f.yml:3: cool_down of a: 5 min is no length of time like 30s, 5m, 36h or 7d."),
        ("version: 1\nstreams:\n  a: {max: 1, target: 75}",
         "f.yml:3: target of a: 75 is more than all; write 75% or a number up to 1."),
        ("version: 1\nstreams:\n  a: {max: 1, mode: ondemand}",
         "f.yml:3: mode of a is 'ondemand', and may be provisioned or on-demand."),
        ("version: 1\nstreams:\n  a: {max: 1, notify: {topic: ops}}",
         "f.yml:3: notify.topic of a is 'ops', which is not the ARN of an SNS topic."),
        ("version: 1\nstreams:\n  a: {max: 1, notify: {webhook: 'http://example.com/x'}}",
         "f.yml:3: notify.webhook of a is set to something, which is not a URL that begins"),
        ("version: 1\nstreams:\n  a:\n    max: 3\n    schedule:\n"
         "      - {from: '09:00', to: '25:00', min: 2}",
         "f.yml:6: schedule[1].to of a: 25:00 is no time of the day like 07:30."),
        ("version: 1\nstreams:\n  a:\n    max: 3\n    schedule:\n"
         "      - {from: '09:00', to: '10:00', min: 2, timezone: London}",
         "f.yml:6: schedule[1].timezone of a: London is no time zone that is known here;"
         " did you mean Europe/London."),
        ("version: 1\nstreams:\n  a:\n    max: 3\n    schedule:\n"
         "      - {from: '09:00', to: '10:00', min: 2, days: mo-fry}",
         "f.yml:6: schedule[1].days of a: mo-fry is no day like mon, and no days like mon-fri."),
        ("version: 1\nstreams: {a: !!python/object/apply:os.system ['true']}", "f.yml:2"),
        (f"version: 1\nstreams: {{a: {{max: {'9' * 5000}}}}}", "f.yml:2: this number is far too"),
        ("version: 1\n\x07: 1", "f.yml:2 is not YAML: a character that is no text."),
        ("version: 1\nstreams: {a: {max: 1}, ? [b] : {max: 1}}", "f.yml:2: a key is one word"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(text, "f.yml")
    assert raised.value.problems[0].startswith(said)


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        ("{max: 1,\n min: 3}", "f.yml:4: min of a is 3, which is more than its max of 1."),
        (
            "{min: 3,\n max: 1}",
            "f.yml:4: min of a is 3, which is more than its max of 1.",
        ),
        ("{max: 4, desired: 5}", "f.yml:3: desired of a is 5, which is more than its max of 4"),
        ("{min: 1}", "f.yml:3: a has no max: say how many shards it may have at most."),
        ("{max: 3, retention: 90m}", "f.yml:3: retention of a has to be whole hours"),
        ("{max: 3, scale_up: {alarm_at: 40%}}", "f.yml:3: a: it would get fewer shards below 0.5"),
        ("{max: 3, scale_up: {over: 5s}}", "f.yml:3: a: 5 s to scale up over are less than"),
        (
            "{max: 3, schedule: [{from: '09:00', to: '10:00', min: 5}]}",
            "f.yml:3: schedule[1].min of a is 5, which is not between its min of 1 and its max of",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(stream: str, said: str) -> None:
    config = parse_config(f"version: 1\nstreams:\n  a: {stream}\n", "f.yml")
    with pytest.raises(ConfigError) as raised:
        resolve(config, "")
    assert raised.value.problems[0].startswith(said)


def test_every_mistake_is_told_in_the_order_of_the_file() -> None:
    text = "version: 1\nstreams:\n  a: {mx: 1}\n  b: {max: 0}\n  c: {max: x}\n"
    with pytest.raises(ConfigError) as raised:
        parse_config(text, "f.yml")
    assert [one.split(": ")[0] for one in raised.value.problems] == [
        "f.yml:3",
        "f.yml:4",
        "f.yml:5",
    ]
    assert str(raised.value).splitlines() == list(raised.value.problems)


def test_what_is_hostile_is_shown_as_text() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config('version: 1\nstreams: {a: {"\\e[31m\\u202e": 1}}', "f.yml")
    assert "\\x1b[31m\\u202e" in str(raised.value)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            'tags: {"aws:x": y}',
            "tags of a have aws:x, but AWS keeps what begins with aws: for itself",
        ),
        ('tags: {a: "x\\u202ey"}', r"a: x\\u202ey, and a tag has letters, digits"),
        ('tags: {a: "\\e[31m"}', r"a: \\x1b\[31m, and a tag has letters, digits"),
        (f"tags: {{{'a' * 129}: x}}", "which is too long, or empty"),
        ("desired: 9", "desired of a is 9, which is more than its max of 4"),
    ],
)
def test_what_aws_would_refuse_later_is_refused_now(said: str, why: str) -> None:
    config = parse_config(f"version: 1\nstreams:\n  a:\n    max: 4\n    {said}", "f.yml")
    with pytest.raises(ConfigError, match=rf"f\.yml:5: .*{why}"):
        resolve(config, "")
    fine = parse_config("version: 1\nstreams: {a: {max: 1, tags: {Équipe 1: a/b@c}}}", "f.yml")
    assert resolve(fine, "").streams[0].settings.tags == {"Équipe 1": "a/b@c"}


def test_the_environment_has_to_be_one_of_the_file() -> None:
    config = parse_config(WHOLE, "f.yml")
    assert config.environment("dev") == "dev"
    with pytest.raises(ConfigError, match=r"f\.yml:17: .* no environment prd; did you mean prod\?"):
        config.environment("prd")
    with pytest.raises(ConfigError, match=r"has environments: prod, dev; name one with --env"):
        config.environment(None)
    plain = parse_config("version: 1\nstreams: {a: {max: 1}}", "f.yml")
    assert plain.environment(None) == ""
    assert plain.environment("") == ""  # CLEW_ENV is set to nothing
    with pytest.raises(ConfigError, match="has no environments"):
        plain.environment("dev")
    placed = parse_config("version: 1\nstreams: {'a-{env}': {max: 1}}", "f.yml")
    assert [one.name for one in resolve(placed, placed.environment("mine")).streams] == ["a-mine"]
    with pytest.raises(ConfigError, match="cannot be an environment"):
        placed.environment("a/b")


def test_two_names_of_one_stream_and_strangers_are_refused() -> None:
    twice = parse_config("version: 1\nstreams:\n  a-{env}: {max: 1}\n  a-dev: {max: 1}\n", "f.yml")
    with pytest.raises(
        ConfigError, match=r"f\.yml:4: a-dev is a-dev in dev, which stands on line 3"
    ):
        resolve(twice, "dev")
    assert len(resolve(twice, "prod").streams) == 2
    text = "version: 1\nstreams: {a: {max: 1}}\nenvironments:\n  dev:\n    streams:\n      b: {}\n"
    with pytest.raises(ConfigError, match=r"f\.yml:6: b is not among the streams of the file"):
        resolve(parse_config(text, "f.yml"), "dev")
    with pytest.raises(ConfigError, match=r"f\.yml:2: nothing cannot be a stream's name"):
        resolve(parse_config("version: 1\nstreams: {'': {max: 1}}", "f.yml"), "")
    with pytest.raises(ConfigError, match=r"f\.yml:2: a b cannot be a stream's name"):
        resolve(parse_config("version: 1\nstreams: {a b: {max: 1}}", "f.yml"), "")


def test_anchors_and_merges_are_followed_and_bombs_are_not() -> None:
    text = (
        "version: 1\nstreams:\n  a: &base {max: 4, min: 2}\n  b: {<<: *base, max: 9}\n  c: *base\n"
    )
    found = {one.name: one.settings.bounds for one in resolve(parse_config(text), "").streams}
    assert found == {"a": (2, 4), "b": (2, 9), "c": (2, 4)}
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    with pytest.raises(ConfigError, match="comes to more than"):
        parse_config(bomb)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="clew streams init"):
        read_config(tmp_path / "none.yml")
    broken = tmp_path / "broken.yml"
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_config(broken)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse_config(text)
    except ConfigError as error:
        assert str(error).isprintable() or "\n" in str(error)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["max", "min", "target", "scale_up", "schedule", "notify", "tags", "mode"]),
        _VALUES,
        max_size=4,
    )
)
def test_no_value_breaks_the_models(stream: dict[str, object]) -> None:
    text = json.dumps({"version": 1, "streams": {"a": stream}})
    try:
        resolve(parse_config(text), "")
    except ConfigError as error:
        assert all(one.startswith("streams.yml") for one in error.problems)


def test_the_published_schema_is_that_of_the_models() -> None:
    path = Path(clew.scaling.managed.__file__).parent / "streams.schema.json"
    assert json.loads(path.read_text()) == json_schema(), (
        f"write it again: clew streams schema > {path}"
    )


DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = (DOCS / "reference" / "streams-yml.md").read_text("utf-8")


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(.*?)^```", REFERENCE, re.S | re.M))
def test_what_the_reference_shows_is_right(block: str) -> None:
    config = parse_config(block)
    for env in config.environments or ("",):
        resolve(config, env)


def test_the_reference_names_every_key() -> None:
    sections = keys_by_section()
    for section in ("scale_up", "scale_down", "notify"):
        for key in sections[section]:
            assert f"`{section}.{key}`" in REFERENCE
    for key in sections["stream"] - {"scale_up", "scale_down", "notify"}:
        assert f"| `{key}` |" in REFERENCE
    for key in sections["schedule"] | sections["environment"] | sections["file"]:
        assert key in REFERENCE
