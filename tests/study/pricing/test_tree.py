import pytest

from adaptstilts.study.pricing.tree import MOST_LINES, plan_tree, tree_lines
from adaptstilts.study.study import Study

PAPER = "configs/xtreme_xlmr_large.yaml"


def drawn(*overrides, path=PAPER, done=(), most=MOST_LINES):
    plan = Study.load(path, overrides).plan
    keys = {stage.key for stage in plan.stages if any(name in stage.name for name in done)}
    return tree_lines(plan_tree(plan, "backbone").record(keys), most)


SMALL = ("intermediate.tasks=[mnli,qqp]", "target.tasks=[xnli,xquad,mlqa,tatoeba]")


def test_tree_leads_from_the_backbone_to_the_predictions():
    assert drawn(*SMALL, "methods=[direct,full,fuse]", done=("train direct: mnli",)) == [
        "backbone  [runs 2/12, predictions 0/276]",
        "├── direct (full model, target task only)  [runs 1/2, predictions 0/69]",
        "│   ├── mnli -> xnli (15 languages)  [runs 1/1, predictions 0/15]",
        "│   ├── squad1 -> xquad (11 languages), mlqa (7 languages)  [runs 0/1, predictions 0/18]",
        "│   └── no training -> tatoeba (36 languages)  [predictions 0/36]",
        "├── intermediate full model: mnli  [runs 1/3, predictions 0/69]",
        "│   └── full  [runs 0/2, predictions 0/69]",
        "│       ├── mnli -> xnli (15 languages)  [runs 0/1, predictions 0/15]",
        "│       ├── squad1 -> xquad (11 languages), mlqa (7 languages)  [runs 0/1, predictions 0/18]",
        "│       └── no training -> tatoeba (36 languages)  [predictions 0/36]",
        "├── intermediate full model: qqp  [runs 0/3, predictions 0/69]",
        "│   └── full  [runs 0/2, predictions 0/69]",
        "│       ├── mnli -> xnli (15 languages)  [runs 0/1, predictions 0/15]",
        "│       ├── squad1 -> xquad (11 languages), mlqa (7 languages)  [runs 0/1, predictions 0/18]",
        "│       └── no training -> tatoeba (36 languages)  [predictions 0/36]",
        "├── fuse over 2 adapters: mnli, qqp  [runs 0/2, predictions 0/69]",
        "│   ├── mnli -> xnli (15 languages)  [runs 0/1, predictions 0/15]",
        "│   ├── squad1 -> xquad (11 languages), mlqa (7 languages)  [runs 0/1, predictions 0/18]",
        "│   └── no training -> tatoeba (36 languages)  [predictions 0/36]",
        "├── intermediate adapter: mnli  [runs 0/1]",
        "└── intermediate adapter: qqp  [runs 0/1]",
    ]


@pytest.mark.parametrize("path", ["configs/quickstart.yaml", PAPER])
def test_counts_of_lines_add_up_and_what_is_shared_is_named(path):
    record = plan_tree(Study.load(path).plan, "backbone").record(())
    for what in ("runs", "predictions"):
        lines = record["children"]
        assert sum(line[what] for line in lines) == record[what]
        for line in (line for line in lines if line["children"]):
            shown = [below[what] + below[f"{what}_shared"] for below in line["children"]]
            assert all(count <= line[what] + line[f"{what}_shared"] for count in shown)
    shared = [line["text"] for line in record["children"] if line["runs_shared"]]
    if path != PAPER:
        assert shared == ["intermediate full model: mnli", "intermediate adapter: mnli"]
        assert "├── intermediate full model: mnli  [runs 0/3, predictions 0/31, shared: runs 1]" in tree_lines(record)


def test_paper_is_folded_to_a_readable_length_and_loses_no_run():
    lines = drawn()
    assert 60 < len(lines) <= MOST_LINES
    assert lines[0] == "backbone  [runs 0/196, predictions 0/4460]"
    folded = (
        "│   ├── stack -> xnli, pawsx, udpos, panx, xquad+mlqa, tydiqa, bucc2018+tatoeba  [runs 0/6, predictions 0/162]"
    )
    assert lines.count(folded) == 9


@pytest.mark.parametrize("most", [1, 5, 20, 60, 1000])
def test_no_tree_is_longer_than_asked_for(most):
    lines = drawn(most=most)
    assert len(lines) <= most
    assert (most >= 60) == (not lines[-1].startswith("... "))


def test_seeds_share_a_line():
    lines = drawn(*SMALL, "methods=[direct]", "seeds=[1,2,3]")
    assert len(lines) == 5
    assert lines[2] == "    ├── mnli -> xnli (15 languages)  [runs 0/3, predictions 0/45]"


def test_chain_of_runs_is_one_line_with_both():
    lines = drawn("methods=[direct]", "target.tasks=[xcopa]", path="configs/xtreme_r_xlmr_large.yaml")
    assert lines[-1] == "    └── siqa > copa -> xcopa (11 languages)  [runs 0/2, predictions 0/11]"
