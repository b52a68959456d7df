"""`init`: a folder of one's own files becomes a configuration that is valid as it is written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import say
from task_files import PANX, TASK_FILES, TATOEBA, XNLI, Files

from adaptstilts.api.configs import copy_config
from adaptstilts.api.init import init_study
from adaptstilts.api.survey import FoundTask, survey
from adaptstilts.config.load import load_study
from adaptstilts.errors import ConfigError, DataError, ProblemsError
from adaptstilts.study.study import Study
from adaptstilts.tasks import registry
from adaptstilts.tasks.layouts import texts
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Phase, Split, Task

Own: Files = {
    **TASK_FILES["mnli"],
    "xnli/test-de.tsv": XNLI,
    "xnli/test-fr.tsv": XNLI + XNLI.replace("Es", "Il"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], Path]:
    """A function that writes files to the folder `data` of a new working folder."""
    monkeypatch.chdir(tmp_path)

    def write(files: Files) -> Path:
        for name, content in files.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (tmp_path / "data").mkdir(exist_ok=True)
        return Path("data")

    return write


# ---- What a folder holds


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_every_task_is_recognised_in_its_files(task, folder):
    found = survey(folder(TASK_FILES[task.name]))
    names = [one.task.name for one in found.tasks]
    assert task.name in names or ((task.phase is Phase.TRAINING and "squad1" in names) or not names)
    assert found.unread == ()


def test_rows_are_counted_by_split_and_language(folder):
    found = {one.task.name: one.splits_text() for one in survey(folder(Own)).tasks}
    assert found["xnli"] == "test: 3 to 6 rows each in de, fr"
    assert (
        FoundTask(get_task("xnli"), ((Split.DEV, (("en", 1), ("de", 1))),)).splits_text() == "dev: 1 row each in en, de"
    )


def test_pooled_task_of_which_only_another_tasks_rows_are_there_is_left_out(folder):
    found = survey(folder(Own))
    assert [task.name for task in found.usable(Phase.INTERMEDIATE)] == ["mnli"]
    assert {one.task.name: one.same_as for one in found.tasks}["anli"] == "mnli"


def test_target_without_its_training_set_is_left_out_and_says_why(folder):
    found = survey(folder({"xnli/test-de.tsv": XNLI, **TATOEBA}))
    assert [task.name for task in found.usable(Phase.TARGET)] == ["tatoeba"]
    (xnli,) = [one for one in found.tasks if one.task.name == "xnli"]
    assert "no train files of mnli in 'en'; looked for mnli/multinli_1.0_train.jsonl" in xnli.obstacle


def test_malformed_file_is_named_with_its_line(folder):
    found = survey(folder({**Own, "xnli/test-es.tsv": XNLI + "one column\n"}))
    (xnli,) = [one for one in found.tasks if one.task.name == "xnli"]
    assert xnli.obstacle.startswith("xnli/test-es.tsv:4: ")


@pytest.mark.parametrize(
    ("name", "content", "guess"),
    [
        ("paws_x/test-de.tsv", XNLI, "perhaps of pawsx, which is looked for as pawsx/test-XX.tsv"),
        ("udpos/test_de.tsv", "Hunde\tNOUN\n", "perhaps of udpos, which is looked for as udpos/test-XX.tsv"),
        ("xnli/test.fr.tsv", XNLI, "perhaps of xnli, which is looked for as xnli/test-XX.tsv"),
        ("xnli/reviews.tsv", XNLI, "a table of 3 columns"),
        ("reviews.tsv", "gut\tpositiv\n", "a table of 2 columns"),
        ("rows.jsonl", '{"premise": "a", "hypothesis": "b"}\n', "pairs of texts, as those of mnli or xnli"),
        ("rows.jsonl", '{"text": "a", "label": 1}\n', "records with label, text"),
        ("mine/de.conllu", "1\tx\n", "perhaps a treebank; its place is ud/UD_NAME/XX_name-ud-SPLIT.conllu"),
        ("mine/x.parquet", b"PAR1", "perhaps a data set of the hub; its place is hub/OWNER/REPOSITORY/CONFIG/"),
        ("noise.bin", b"\xff\xfe\x00", ""),
    ],
)
def test_file_that_no_task_reads_is_named_with_what_it_may_be(name, content, guess, folder):
    (unread,) = survey(folder({**Own, name: content})).unread
    assert (unread.names, unread.guess) == ((name,), guess)


def test_folders_that_are_hidden_or_vanish_are_passed_over(folder, monkeypatch):
    scan = os.scandir

    def scandir(place):
        if Path(place).name == "gone":
            raise FileNotFoundError(2, "No such file or directory", place)
        return scan(place)

    root = folder({".git/a.tsv": "a\tb\n", "gone/b.tsv": "a\tb\n", "notes/c.tsv": "a\tb\n"})
    monkeypatch.setattr(os, "scandir", scandir)
    assert [unread.names for unread in survey(root).unread] == [("notes/c.tsv",)]


def test_files_that_are_no_data_are_not_named(folder):
    assert survey(folder({**Own, "README.md": "x", "LICENSE": "x", ".cache/x.tsv": "a\tb\n"})).unread == ()


# ---- The configuration


def test_configuration_names_what_was_found_and_is_a_study_of_it(folder):
    said = say("init", "--data", folder({**Own, "reviews.tsv": "gut\tpositiv\n"}))
    assert said.code == 0, said.err
    text = Path("study.yaml").read_text(encoding="utf-8")
    for line in (
        "- xnli (target): test: 3 to 6 rows each in de, fr",
        "- anli (intermediate): train: 3 rows in en; dev: 3 rows in en. Left out: only the rows of mnli are there",
        "- reviews.tsv: a table of 2 columns",
    ):
        assert line in said.out.splitlines()
        assert f"# {line}" in text.splitlines()
    config = load_study(Path("study.yaml"))[0]
    assert (config.name, config.data.root, config.backbone) == ("study", "data", "mini")
    assert (config.intermediate.tasks, config.target.tasks) == (("mnli",), ("xnli",))
    assert config.evaluation.languages == "present"
    assert config.device == "auto"
    assert said.out.endswith(
        "  adaptstilts plan study.yaml\n  adaptstilts run study.yaml\n  adaptstilts report study.yaml\n"
    )


def test_configuration_passes_validate_and_plan_as_it_is_written(folder):
    folder(Own)
    assert say("init", "--data", "data").code == 0
    assert say("validate", "study.yaml").code == 0
    assert say("plan", "study.yaml").code == 0


def test_every_task_with_files_is_in_a_configuration_that_plans(folder):
    everything = {name: content for files in TASK_FILES.values() for name, content in files.items()}
    said = say("init", "--data", folder(everything), "--to", "all.yaml", "--json")
    assert {one["task"] for one in said.json["tasks"]} == {task.name for task in all_tasks()}
    study = Study.load("all.yaml")
    assert len(study.config.target.tasks) >= 9
    assert study.plan.cells


def test_settings_that_are_comments_can_be_put_in_force(folder):
    say("init", "--data", folder(Own))
    text = Path("study.yaml").read_text(encoding="utf-8")
    changed = re.sub(r"^( *)#(?! \S|$)", r"\1", text, flags=re.MULTILINE).replace("sweep:", "#sweep:")
    Path("changed.yaml").write_text(changed, encoding="utf-8")
    loaded = load_study(Path("changed.yaml"))[0]
    assert loaded == load_study(Path("study.yaml"))[0]
    assert "engine" in loaded.model_fields_set


def test_without_data_the_study_is_that_of_the_quickstart(folder):
    folder({})
    assert say("init", "--to", "quick.yaml").code == 0
    ours, shipped = (
        load_study(path)[0] for path in (Path("quick.yaml"), Path(__file__).parents[2] / "configs" / "quickstart.yaml")
    )
    for section in ("data", "intermediate", "target", "adapter", "evaluation"):
        assert getattr(ours, section) == getattr(shipped, section)


def test_another_backbone_is_trained_by_the_recipes(folder):
    folder(Own)
    assert say("init", "--data", "data", "--backbone", "FacebookAI/xlm-roberta-base").code == 0
    config = load_study(Path("study.yaml"))[0]
    assert config.backbone == "FacebookAI/xlm-roberta-base"
    assert config.target.full.learning_rate is None
    assert "near chance" not in Path("study.yaml").read_text(encoding="utf-8")


def test_folder_without_intermediate_tasks_compares_the_methods_that_need_none(folder):
    files = {"panx/train-en.tsv": PANX, "panx/dev-en.tsv": PANX, "panx/test-de.tsv": PANX}
    said = say("init", "--data", folder(files))
    assert "No intermediate task is there" in said.out
    assert load_study(Path("study.yaml"))[0].methods == ("direct", "adapter")
    assert say("validate", "study.yaml").code == 0


def test_folder_with_targets_of_xtreme_r_only_is_a_study_of_that_benchmark(folder):
    files = {**TASK_FILES["xcopa"], **TASK_FILES["copa"], **TASK_FILES["siqa"]}
    assert say("init", "--data", folder(files)).code == 0
    config = load_study(Path("study.yaml"))[0]
    assert (config.target.tasks, config.evaluation.benchmark) == (("xcopa",), "xtreme_r")


def test_folder_called_like_the_mini_world_is_a_folder(folder, tmp_path: Path):
    folder(Own).rename("mini")
    assert say("init", "--data", "mini").code == 0
    assert load_study(Path("study.yaml"))[0].data.root == "./mini"
    assert say("validate", "study.yaml").code == 0


def test_existing_file_is_never_overwritten(folder):
    folder(Own)
    Path("study.yaml").write_text("name: precious\n", encoding="utf-8")
    said = say("init", "--data", "data")
    assert said.code == 2
    assert "study.yaml: exists already, and is not overwritten. Give another file." in said.err
    assert Path("study.yaml").read_text(encoding="utf-8") == "name: precious\n"


def test_folder_without_a_target_says_what_is_there_and_where_to_read_on(folder):
    with pytest.raises(
        DataError, match=r"data: holds no target task .*Not recognised: reviews\.tsv: a table.* docs data"
    ):
        init_study("study.yaml", folder({"reviews.tsv": "gut\tpositiv\n"}))
    assert not Path("study.yaml").exists()


@pytest.mark.parametrize(
    "line", ['{"a": ' + "9" * 5000 + "}", "[" * 60_000, '{"a": 1, "a": 2}', '{"a": "\\ud800"}', ""]
)
def test_files_that_are_not_recognised_may_hold_anything(folder, line):
    data = folder({**TASK_FILES["mnli"], **TASK_FILES["xnli"], "notes.jsonl": line})
    assert say("init", "--data", data).code == 0


def test_missing_folder_and_bad_backbone_are_one_line_each(folder):
    folder(Own)
    for words, named in ((["--data", "none"], "none"), (["--data", "data", "--backbone", "xlmr"], "'xlmr' is neither")):
        said = say("init", *words)
        assert said.code == 2
        assert named in said.err
        assert said.err.count("\n") == 1


def test_file_in_a_missing_folder_is_refused(folder):
    folder(Own)
    with pytest.raises(ConfigError, match="no such folder"):
        init_study("none/study.yaml", "data")


# ---- The whole way


def test_own_files_are_run_from_an_empty_folder(folder):
    """Rows written here: which sentence about the weather follows; training in English, tests in German and French."""
    pairs = [("It rained all day.", "It was wet."), ("The sun shone.", "It was dry."), ("Snow fell.", "It was cold.")]
    labels = ("entailment", "neutral", "contradiction")
    rows = [
        {"sentence1": f"{first} {number}", "sentence2": second, "gold_label": labels[number % 3], "pairID": f"{number}"}
        for number in range(24)
        for first, second in [pairs[number % 3]]
    ]
    training = "".join(json.dumps(row) + "\n" for row in rows)
    test = "".join(f"Es regnet {number}.\tEs ist nass.\t{labels[number % 3]}\n" for number in range(6))
    files: Files = {
        "mnli/multinli_1.0_train.jsonl": training,
        "mnli/multinli_1.0_dev_matched.jsonl": training,
        "xnli/test-de.tsv": test,
        "xnli/test-fr.tsv": test.replace("Es regnet", "Il pleut"),
    }
    folder(files)
    assert say("init", "--data", "data", "--to", "weather.yaml").code == 0
    assert "weather.yaml: fine" in say("validate", "weather.yaml").out
    assert "training runs" in say("plan", "weather.yaml").out
    fast = "workers=1"
    run = say("run", "weather.yaml", fast)
    assert run.code == 0, run.err
    assert "Points above or below 'direct'" in run.out
    report = Path("checkpoints") / "studies" / "weather" / "report.md"
    assert all(method in report.read_text(encoding="utf-8") for method in ("direct", "stack", "fuse"))
    again = say("report", "weather.yaml", fast)
    assert again.code == 0
    assert str(report) in again.out
    assert sorted(path.name for path in Path().iterdir()) == ["checkpoints", "data", "weather.yaml"]


# ---- What strangers do


BAD = "one column\n"


def test_commands_are_written_for_the_shell_and_the_study_is_named_after_its_file(folder):
    folder(Own).rename("my data")
    said = say("init", "--data", "my data", "--to", "Größe und Übung.yaml")
    assert said.code == 0, said.err
    assert "wrote Größe und Übung.yaml, the study grosse_und_ubung; next:" in said.out
    assert "  adaptstilts run 'Größe und Übung.yaml'\n" in said.out
    assert "adaptstilts init --data 'my data'\n" in Path("Größe und Übung.yaml").read_text(encoding="utf-8")
    assert load_study(Path("Größe und Übung.yaml"))[0].name == "grosse_und_ubung"
    asked = init_study("other.yaml", "my data", options=["--tasks-from", "my tasks.py"])
    assert "adaptstilts plan other.yaml --tasks-from 'my tasks.py'\n" in str(asked)


def test_all_that_is_wrong_is_told_once_where_no_target_can_be_used(folder):
    files = {**Own, "mnli/multinli_1.0_train.jsonl": "{bad\n", "xnli/test-de.tsv": XNLI + BAD, "xnli/test-fr.tsv": BAD}
    with pytest.raises(ProblemsError) as caught:
        init_study("study.yaml", folder(files))
    first, *problems = str(caught.value).splitlines()
    assert first.startswith("data: holds no target task that a study could be evaluated on. The files of every task")
    assert [problem.partition(": ")[0] for problem in problems] == [
        "data/mnli/multinli_1.0_train.jsonl:1",
        "data/xnli/test-de.tsv:4",
        "data/xnli/test-fr.tsv:1",
    ]
    assert problems[0].endswith("(tasks anli, mnli).")
    assert "(task xnli)" in problems[2]


def test_of_many_problems_the_rest_is_counted(folder):
    files = {**Own, **{f"xnli/test-{code}.tsv": BAD for code in get_task("xnli").languages}}
    with pytest.raises(ProblemsError, match=r"data: 7 more problems; all of them: adaptstilts data check\.$") as caught:
        init_study("study.yaml", folder(files))
    assert len(caught.value.problems) == 10


def test_task_that_is_left_out_for_the_reason_of_another_does_not_repeat_it(folder):
    panx = {f"panx/{split}-en.tsv": PANX for split in ("train", "dev", "test")}
    said = say("init", "--data", folder({**Own, **panx, "mnli/multinli_1.0_train.jsonl": "{bad\n"}))
    lines = [line.partition("Left out")[2] for line in said.out.splitlines() if "Left out" in line]
    assert lines[0].startswith(": mnli/multinli_1.0_train.jsonl:1: not JSON")
    assert lines[1] == " for the same reason as anli"


def test_files_in_formats_that_are_read_are_named_before_others(folder):
    photos = {f"a/photo{number}.jpg": b"\xff" for number in range(9)}
    tables = {f"b/{number}.csv": "a,b,c\n" for number in range(60)}
    files = {**photos, **tables, "b/photo.jpg": b"\xff", "b/squad.json": '{"data": []}\n', "b/train.csv": "a,b\n"}
    assert [unread.text() for unread in survey(folder({**Own, **files})).unread] == [
        "b/0.csv, b/1.csv, b/10.csv, b/11.csv and 57 more: a table of 3 columns",
        "b/squad.json: perhaps of squad1, which is looked for as squad/dev-v1.1.json",
        "a/photo0.jpg, a/photo1.jpg, a/photo2.jpg, a/photo3.jpg and 5 more",
        "b/photo.jpg",
    ]


def test_of_many_different_files_the_rest_is_counted(folder):
    files = {f"{number}/rows.csv": f"{',' * number}\n" for number in range(1, 16)}
    unread = survey(folder({**Own, **files})).unread
    assert len(unread) == 13
    assert unread[-1].text() == "3 other files"


def test_file_of_a_task_of_ones_own_in_which_its_languages_are_called_otherwise_is_named(folder, monkeypatch):
    monkeypatch.setattr(registry, "_TASKS", dict(registry._TASKS))
    layout = texts("moods.tsv", language="language", split="split")
    registry.register(
        Task(
            name="moods_elsewhere",
            kind="classify",
            labels=("down", "up"),
            languages=("en", "de"),
            layouts=dict.fromkeys(Split, layout),
        )
    )
    panx = {f"panx/{split}-en.tsv": PANX for split in ("train", "dev", "test")}
    data = folder({**panx, "moods.tsv": "text\tlabel\tlanguage\tsplit\ngood\tup\teng\ttrain\n"})
    said = say("init", "--data", data)
    line = "- moods_elsewhere (target): no rows. Left out: moods.tsv: holds no row of moods_elsewhere in en, de"
    assert line in said.out.splitlines()
    assert "Not recognised" not in said.out
    said = say("validate", "study.yaml", "target.tasks=[moods_elsewhere]")
    assert said.err.startswith("data/moods.tsv: holds no row of moods_elsewhere in en, de. Correct its languages")
    assert "codes=(('en', 'eng'),)" in said.err


def test_languages_that_a_file_for_all_languages_lacks_are_not_there(folder):
    columns = ("language", "gold_label", "sentence1", "sentence2")
    rows = [(code, "neutral", f"{code} {number}", "x") for code in ("de", "sw") for number in range(2)]
    table = "".join("\t".join(row) + "\n" for row in (columns, *rows))
    data = folder({**TASK_FILES["mnli"], "xnli/XNLI-1.0/xnli.test.tsv": table})
    found = {one.task.name: one for one in survey(data).tasks}
    assert found["xnli"].splits_text() == "test: 2 rows each in de, sw"
    assert found["xnli"].obstacle == ""


def test_a_file_in_place_of_the_folder_is_called_a_file(folder):
    folder({"reviews.tsv": "gut\tpositiv\n"})
    said = say("init", "--data", "data/reviews.tsv")
    assert said.code == 2
    assert said.err.startswith("data/reviews.tsv: is a file, not a folder")


def test_python_takes_paths_as_text(folder):
    folder(Own)
    assert init_study("mine.yaml", "data").file == Path("mine.yaml")
    assert copy_config("quickstart", "copy.yaml") == Path("copy.yaml")


def test_tasks_of_ones_own_are_found_and_named_in_the_next_commands(folder, monkeypatch):
    monkeypatch.setattr(registry, "_TASKS", dict(registry._TASKS))
    folder({"moods.tsv": "text\tlabel\tsplit\ngood\tup\ttrain\nbad\tdown\ttrain\nfine\tup\ttest\n"})
    Path("moods.py").write_text(
        "from adaptstilts.tasks.layouts import texts\n"
        "from adaptstilts.tasks.spec import Kind, Split, Task\n"
        "MOODS = Task(name='moods_of_init', kind=Kind.CLASSIFY, labels=('down', 'up'), languages=('en',),\n"
        "             layouts=dict.fromkeys((Split.TRAIN, Split.TEST), texts('moods.tsv', split='split')))\n",
        encoding="utf-8",
    )
    said = say("init", "--data", "data", "--tasks-from", "moods.py")
    assert said.code == 0, said.err
    assert "- moods_of_init (target): train: 2 rows in en; test: 1 row in en" in said.out
    assert "adaptstilts run study.yaml --tasks-from moods.py" in said.out
    assert load_study(Path("study.yaml"))[0].target.tasks == ("moods_of_init",)
