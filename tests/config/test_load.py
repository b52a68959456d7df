import pytest
import yaml
from repository import CONFIGS

from adaptstilts.config.load import load, load_study
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.config.recipes import resolve
from adaptstilts.config.schema import TrainOverride, TrainSection
from adaptstilts.errors import ConfigError, ProblemsError
from adaptstilts.tasks.registry import get_task

MINIMAL = "name: demo\nintermediate:\n  tasks: [mnli]\ntarget:\n  tasks: [xnli]\n"


def write(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_load_reads_scientific_notation_as_number_and_no_as_language(tmp_path):
    text = MINIMAL + "  full:\n    learning_rate: 1e-4\nevaluation:\n  languages: [no, en]\n"
    study = load_study(write(tmp_path, text))[0]
    assert study.target.full.learning_rate == 1e-4
    assert study.evaluation.languages == ("no", "en")


def test_load_applies_overrides_over_the_file(tmp_path):
    study = load_study(write(tmp_path, MINIMAL), ["data.root=elsewhere", "seeds=[3, 4]", "target.full.epochs=7"])[0]
    assert (study.data.root, study.seeds, study.target.full.epochs) == ("elsewhere", (3, 4), 7)


def test_load_names_line_and_near_match_when_key_is_misspelt(tmp_path):
    path = write(tmp_path, MINIMAL + "adapter:\n  reduction_facter: 8\n")
    with pytest.raises(
        ConfigError, match=r"study\.yaml:7: adapter\.reduction_facter: .*Did you mean 'reduction_factor'"
    ):
        load_study(path)


def test_load_names_allowed_values_when_method_is_unknown(tmp_path):
    path = write(tmp_path, MINIMAL + "methods: [direct, stak]\n")
    with pytest.raises(
        ConfigError, match=r"study\.yaml:6: methods\[1\]: 'stak' .*Did you mean 'stack'.*Allowed: direct"
    ):
        load_study(path)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("methods=[stak]", r"^methods\[0\]: 'stak' is not allowed\. Did you mean 'stack'"),
        ("methods=direct", r"^methods: 'direct' is not a list\. Write \[direct\]\.$"),
        ("methods=direct,full", r"^methods: 'direct,full' is not a list\. Write \[direct,full\]\.$"),
        (
            "methods=all",
            r"^methods: 'all' is not a list\. Allowed: direct, .*, fuse\. Write values in brackets, with commas",
        ),
        ("seeds=1-5", r"^seeds: '1-5' is not a list\. Allowed: at least 0\. Write values in brackets, with commas"),
        ("seeds=(1, 2)", r"^seeds: '\(1, 2\)' is not a list\. Allowed: at least 0\. Write values in brackets"),
        (
            "evaluation.languages=en",
            r"'en' is not allowed\. Allowed: official, present, a list in brackets, such as \[a, b\]",
        ),
        ("device=0", r"^device: 0 is not text\. Allowed: auto, cpu, cuda, cuda:N\.$"),
        ("device=gpu", r"^device: 'gpu' is not allowed\. Did you mean 'cuda'\?"),
        ("threads=None", r"^threads: 'None' is not a whole number\. Allowed: .* 1024\. Write null for none\.$"),
        ("workers=none", r"^workers: 'none' is not a whole number\. Allowed: at least 1 and at most 256\.$"),
        ("target.full.lr=1e-4", r"^target\.full\.lr: 'lr' is not a setting\. Did you mean 'learning_rate'\?"),
        ("adapter.kind=Pfeiffer", r"^adapter\.kind: 'Pfeiffer' is not allowed\. Did you mean 'seq_bn'\?"),
        (
            "target.epochs=3",
            r"Settings of this name: target\.full\.epochs, target\.adapter\.epochs, target\.fusion\.epochs\.",
        ),
        ("epochs=3", r"Settings of this name: intermediate\.full\.epochs, .*, .* and 3 more\. All settings"),
        ("runtime.device=cpu", r"^runtime\.device: 'device' is not a setting\..* Settings of this name: device\."),
        ("engine.partition=x", r"Settings of this name: engine\.slurm\.partition\."),
        ("nothing=3", r"25 in all\)\. All settings: adaptstilts docs settings\.$"),
        ("tracking={tensorboard: true}", r"^tracking: \{'tensorboard': true\} is not a list\. Write \[tensorboard\]"),
        ("evaluation.languages=offical", r"^evaluation\.languages: 'offical' .*Did you mean 'official'"),
        (
            "evaluation.languages=[true]",
            r"^evaluation\.languages\[0\]: true is not text\. .* line '\"true\"'\.$",
        ),
        ("evaluation.missing=true", r"^evaluation\.missing: true is not allowed\. Allowed: error, leave_out\.$"),
        ("methods=[true]", r"^methods\[0\]: true is not allowed\."),
        ("name=true", r"^name: true is not text\. .* on the command line '\"true\"'\.$"),
        ("revision=1234567", r"^revision: 1234567 is not text\. .* on the command line '\"1234567\"'\.$"),
        ("revision=12e4567", r"^revision: 12e4567 is beyond the largest number, 1\.8e308\. Write it in quotation"),
        ("revision=12e45", r"^revision: this number is not text\. Write it in quotation .* line '\"\.\.\.\"'\.$"),
        ("a.b.c=1", r"^a: 'a' is not a setting\."),
        ("target.wrong.c=1", r"^target\.wrong: 'wrong' is not a setting\."),
    ],
)
def test_load_says_one_thing_about_one_key(tmp_path, override, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_study(write(tmp_path, MINIMAL), [override])
    assert str(caught.value).count("\n") == 0


def test_load_reports_all_problems_at_once(tmp_path):
    path = write(tmp_path, MINIMAL + "seeds: []\nadapter:\n  reduction_factor: 0\nstore: 5\n")
    with pytest.raises(ProblemsError) as caught:
        load_study(path)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["seeds", "adapter.reduction_factor", "store"]
    assert [int(line.split(":")[1]) for line in lines] == [6, 8, 9]


def test_load_names_command_line_key_without_file_when_override_is_wrong(tmp_path):
    with pytest.raises(
        ConfigError, match=r"^target\.full\.learning_rate: 3 is out of range\. Allowed: above 0 and below 1\.$"
    ):
        load_study(write(tmp_path, MINIMAL), ["target.full.learning_rate=3"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", r"study\.yaml:1: not valid YAML"),
        ("- a\n", r"contains no keys"),
        ("name: a\nname: b\n", r"study\.yaml:2: name: is given twice"),
        ("title: x\n", r"name: is required"),
    ],
)
def test_load_says_what_is_wrong_with_the_file(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_study(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "a:\n\tb: 1\n": r"yaml:2: not valid YAML: .*\. Indent with blanks, not with tabs\.$",
        "a: @b\n": r"yaml:1: not valid YAML: .*\. Write text that begins with this character in quotation marks\.$",
        "a: b: c\n": r"yaml:1: not valid YAML: .*\. Each key has .*; quote text with ': ' in it\.$",
        "a:1\nb: 2\n": r"yaml:2: not valid YAML: .*\. Each key has .*, and a blank after its colon; ",
        "a: 1\n  b: 2\n": r"yaml:2: not valid YAML: .*\. Each key has the indentation of its section, ",
        "a:\n  b: 1\n c: 2\n": r"yaml:3: not valid YAML: .*\. Indent all lines of a section alike\.$",
        "a: 1\nb\nc: 1\n": r"yaml:3: not valid YAML: .*\. A configuration is a list of `key: value` lines\.$",
        "a: 1\n---\nb: 1\n": r"yaml:2: not valid YAML: .*\. Keep one of the documents, ",
        "a: [1\nb: 2\n": r"yaml:2: not valid YAML: .*\. Close the bracket, or put a comma between its values\.$",
        "a: [,]\n": r"yaml:1: not valid YAML: .*\. Close each bracket, and write a value before each comma\.$",
        "a: 'x\n": r"yaml:2: not valid YAML: .*\. Close the quotation mark\.$",
        "name: a\nname: b\n": r"yaml:2: name: is given twice\. Keep one of the two\.$",
    }.items(),
)
def test_load_says_what_to_do_about_text_that_is_no_yaml(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_study(write(tmp_path, text))


def test_a_key_with_dots_in_a_file_is_told_from_sections(tmp_path):
    message = r"yaml:\d+: adapter\.dropout: 'adapter\.dropout' is not a setting\..* Write `dropout` below `adapter`\."
    with pytest.raises(ConfigError, match=message):
        load_study(write(tmp_path, MINIMAL + "adapter.dropout: 0.1\n"))


def test_an_override_that_is_no_yaml_has_the_same_hints(tmp_path):
    with pytest.raises(ConfigError, match=r"^seeds: '\[1,2' is not a YAML value\. Close the bracket, or put a comma"):
        load_study(write(tmp_path, MINIMAL), ["seeds=[1,2"])


def test_load_says_so_when_file_is_missing(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: no such configuration file"):
        load_study(tmp_path / "none.yaml")


def test_load_refuses_override_without_value(tmp_path):
    with pytest.raises(ConfigError, match=r"'data\.root' is not of the form key=value"):
        load_study(write(tmp_path, MINIMAL), ["data.root"])


def test_resolve_prefers_override_then_section_then_recipe():
    section = TrainSection(learning_rate=3e-4, evaluate_examples=None)
    settings = resolve(section, TrainOverride(epochs=9), recipe=get_task("mnli").recipe, phase="target", family="full")
    assert (settings.learning_rate, settings.epochs, settings.batch_size) == (3e-4, 9, 32)
    assert settings.evaluate_examples is None


@pytest.mark.parametrize(
    ("family", "task", "expected"),
    [
        ("full", "squad1", (1e-5, 2, 16, 384)),
        ("full", "mnli", (1e-5, 2, 32, 256)),
        ("adapter", "hellaswag", (1e-4, 15, 16, 200)),
        ("fusion", "udpos", (5e-5, 15, 32, 128)),
    ],
)
def test_recipe_gives_the_published_settings_when_nothing_is_said(family, task, expected):
    settings = resolve(TrainSection(), None, recipe=get_task(task).recipe, phase="target", family=family)
    assert (settings.learning_rate, settings.epochs, settings.batch_size, settings.max_length) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: &x [*x]\n", r"study\.yaml:6: title\[0\]: a value contains itself\. Remove the alias"),
        ("title: a\0b\n", r"study\.yaml:6: not valid YAML: the character U\+0000 cannot stand in it\. Remove it\.$"),
        ("device: tpu\n", r"study\.yaml:6: device: 'tpu' is not allowed\. .*Allowed: auto, cpu, cuda, cuda:N\.$"),
        ("methods: []\n", r"study\.yaml:6: methods: \[\] is an empty list\. Name at least one"),
        ("data: 5\n", r"study\.yaml:6: data: 5 is not a section\. Allowed: root, quoting"),
        ("data:\n", r"study\.yaml:6: data: has no value"),
        ("title: 2024\n", r"study\.yaml:6: title: 2024 is not text\. Write it in quotation marks; .*'\"2024\"'"),
        ("~: 2\n", r"study\.yaml:6: null: 'null' is not a setting\. Allowed: name"),
        ("True: 2\n", r"study\.yaml:6: true: 'true' is not a setting\."),
        ("5: x\n", r"study\.yaml:?6?: .*'5' is not a setting\. Allowed: name"),
        (
            "adapter: {reduction_factor: 0.5}\n",
            r"reduction_factor: 0\.5 is out of range\. Allowed: at least 1 and at most",
        ),
        ("data: {max_train: 1.5}\n", r"data\.max_train: 1\.5 is not a whole number\. Allowed: at least 1\.$"),
        ("seeds: ['1', 2]\n", r"study\.yaml:6: seeds\[0\]: '1' is text, not a number\. Write 1, without quotation"),
        ("seeds: '7'\n", r"study\.yaml:6: seeds: '7' is not a list\. Write \[7\]"),
        ("adapter: {dropout: '0.1'}\n", r"adapter\.dropout: '0\.1' is text, not a number\. Write 0\.1, without"),
        ("threads: 010\n", r"threads: '010' is text, not a number\. Write 10, without"),
        ("seeds: [a]\n", r"seeds\[0\]: 'a' is not a whole number\. Allowed: at least 0\.$"),
        ("seeds: [1, -1]\n", r"study\.yaml:6: seeds\[1\]: -1 is out of range\. Allowed: at least 0\.$"),
        ("seeds: [true]\n", r"study\.yaml:6: seeds\[0\]: true is not a number\.$"),
        ("workers: true\n", r"study\.yaml:6: workers: true is not a number\.$"),
        ("adapter: {dropout: x}\n", r"adapter\.dropout: 'x' is not a number\. Allowed: at least 0 and below 1\.$"),
        ("retrieval: {sweep: 3}\n", r"retrieval\.sweep: 3 is neither true nor false\. Allowed: true, false\.$"),
        ("evaluation: {languages: en}\n", r"study\.yaml:6: .*'en' is not allowed\. Allowed: official, present, a list"),
        (
            "fusion: {regularisation: .inf}\n",
            r"study\.yaml:6: fusion\.regularisation: inf is not a finite number\. Allowed: at least 0",
        ),
    ],
)
def test_load_says_what_is_wrong_in_one_line(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_study(write(tmp_path, MINIMAL + text))
    assert str(caught.value).count("\n") == 0


def test_study_and_pretraining_configuration_are_told_apart_in_one_line():
    study, pretraining = CONFIGS / "quickstart.yaml", CONFIGS / "pretrain_mini.yaml"
    with pytest.raises(ConfigError, match=r"quickstart\.yaml: is a study, .* adaptstilts run .*quickstart\.yaml"):
        load(study, (), PretrainSection)
    with pytest.raises(ConfigError, match=r"mini\.yaml: is a pretraining .* adaptstilts pretrain .*pretrain_mini"):
        load_study(pretraining)


@pytest.mark.parametrize("text", ["2024-13-45", "1:30", "0x_", "010"])
def test_load_takes_what_other_readers_take_for_dates_and_odd_numbers_as_text(tmp_path, text):
    assert load_study(write(tmp_path, MINIMAL + f"title: {text}\n"))[0].title == text


def test_load_lets_a_key_replace_a_merged_one(tmp_path):
    text = "name: demo\ntarget:\n  full: &shared {epochs: 3, batch_size: 8}\n  adapter: {<<: *shared, epochs: 2}\n"
    section = load_study(write(tmp_path, text))[0].target.adapter
    assert (section.epochs, section.batch_size) == (2, 8)


def test_load_changes_one_use_of_an_alias_when_only_that_one_is_overridden(tmp_path):
    text = "name: demo\ntarget:\n  full: &shared {epochs: 3}\n  adapter: *shared\n"
    section = load_study(write(tmp_path, text), ["target.adapter.epochs=2"])[0].target
    assert (section.full.epochs, section.adapter.epochs) == (3, 2)


def test_load_says_so_when_it_is_given_a_folder(tmp_path):
    with pytest.raises(
        ConfigError,
        match=r"is a folder, not a file\. Give a YAML file\. Those that come with the package: adaptstilts configs\.$",
    ):
        load_study(tmp_path)


@pytest.mark.parametrize("name", ["a b", "-a", ""])
def test_name_that_is_no_folder_is_refused_in_words(tmp_path, name):
    with pytest.raises(
        ConfigError, match=r"name: '.*' is not allowed\. Allowed: up to 100 letters, digits, _, \. and -"
    ):
        load_study(write(tmp_path, MINIMAL), [f"name='{name}'"])


@pytest.mark.parametrize("name", ["quickstart", "xtreme_xlmr_large"])
def test_dict_that_a_yaml_reader_returns_is_the_same_study(name):
    """PyYAML follows YAML 1.1, in which 5e-4 is text."""
    path = CONFIGS / f"{name}.yaml"
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert load_study(read)[0] == load_study(path)[0]
    assert load_study({**read, "adapter": {"dropout": "1e-1"}})[0].adapter.dropout == 0.1
