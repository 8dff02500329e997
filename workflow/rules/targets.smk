"""What tables, figures, analyses and sweeps need and make."""


def needed_results(target):
    """Return the results a target waits for; runs in the ledger are not among them."""
    return [f"{CONFIG.results}/runs/{run}/result.json" for run in PLAN.needed[target]]


def category(chapter):
    """Return where the report lists what is of a chapter, or of none."""
    return "Own" if chapter is None else f"Chapter {chapter}"


def ledger_files(table):
    """Return the ledger of a table's chapter, where there is one."""
    path = ledger_path(Path(CONFIG.ledger_root), table.chapter)
    return [str(path)] if path.is_file() else []


def target_outputs(table):
    """Return what a target renders, by name; the page and the picture go into the report."""
    target = table.target
    labels = {"target": target, "title": table.title, "preset": CONFIG.preset}
    flags = {"caption": "../report/target.rst", "category": category(table.chapter)}
    folder = f"{CONFIG.results}/tables"
    outputs = {end: f"{folder}/{target}.{end}" for end in ("csv", "md", "html", "json")}
    outputs["html"] = report(
        outputs["html"], labels={**labels, "shows": "table"}, **flags
    )
    if table.kind == "figure":
        folder = f"{CONFIG.results}/figures"
        svg = f"{folder}/{target}.svg"
        outputs["svg"] = report(svg, labels={**labels, "shows": "figure"}, **flags)
        outputs["png"] = f"{folder}/{target}.png"
        outputs["points"] = f"{folder}/{target}.csv"
    return outputs


def drawn_outputs(target):
    """Return the files of a drawn figure, by ending; the picture goes into the report."""
    drawing = PLAN.drawings[target]
    stem = f"{CONFIG.results}/figures/{target}"
    outputs = {ending: f"{stem}.{ending}" for ending in drawing.files}
    outputs["svg"] = report(
        outputs["svg"],
        caption="../report/drawn.rst",
        category=category(drawing.chapter),
        labels={"target": target, "title": drawing.title, "shows": "figure"},
    )
    return outputs


def drawing_arguments():
    """Return what every drawing reads and writes."""
    return shlex.join(
        [
            *("--targets", CONFIG.targets),
            *("--results", CONFIG.results),
            *("--scratch", CONFIG.scratch),
        ]
    )


def table_digest(target):
    """Digest a table's content, so that it is rendered again when it, not a comment, changes."""
    return identity.digest(PLAN.tables[target].model_dump(mode="json"))


def asked_of_table(target):
    """Digest what a table is made for."""
    content = [PLAN.requested[target], table_digest(target), CONFIG.preset]
    return identity.digest(content)


def render_arguments(target):
    """Return the files and folders a rendering reads and writes."""
    return shlex.join(
        [
            *("--targets", CONFIG.targets),
            *("--target", target),
            *("--experiments", CONFIG.experiments),
            *("--ledger", CONFIG.ledger_root),
            *("--results", CONFIG.results),
            *("--scratch", CONFIG.scratch),
            *("--contents", json.dumps(CONTENTS.known)),
        ]
    )


def analysis_inputs(target):
    """Return what an analysis waits for: results and weights of its runs, and their data.

    Weights are no part of the ledger, so that a run made elsewhere is trained here.
    """
    runs = [model["run_id"] for model in PLAN.analyses[target]["models"]]
    files = [
        f"{CONFIG.results}/runs/{run}/{name}"
        for run in runs
        for name in ("result.json", "model.pt")
    ]
    return files + stage_inputs(map(spec_of, runs), is_made(target))


def is_made(target):
    """Say whether the values of an analysis are there, and those of what the plan asks for."""
    path = f"{CONFIG.results}/analyses/{target}.json"
    wanted = PLAN.analyses[target]["analysis_id"]
    return os.path.exists(path) and read_json(path)["analysis_id"] == wanted


def analysis_argument(target):
    """Return an analysis as its stage takes it; a new caption alone makes nothing again."""
    shown = {k: v for k, v in PLAN.analyses[target].items() if k != "caption"}
    return identity.canonical_json(shown)


def asked_of_analysis(target):
    """Digest what an analysis is made for."""
    return identity.digest([analysis_argument(target), CONFIG.preset])


def trusted(target):
    """Return as arguments what the user's own specs of an analysis name outside the library."""
    runs = [model["run_id"] for model in PLAN.analyses[target]["models"]]
    names = sorted({name for run in runs for name in foreign_paths(spec_of(run))})
    return shlex.join(word for name in names for word in ("--trust", name))


def analysis_outputs(target):
    """Return the files of an analysis, by ending; the picture goes into the report."""
    analysis = PLAN.analyses[target]
    stem = f"{CONFIG.results}/figures/{target}"
    outputs = {ending: f"{stem}.{ending}" for ending in ("svg", "png", "csv")}
    outputs["svg"] = report(
        outputs["svg"],
        caption="../report/analysis.rst",
        category=category(analysis["chapter"]),
        labels={
            "target": target,
            "title": analysis["title"],
            "preset": CONFIG.preset,
            "shows": "figure",
        },
    )
    outputs["json"] = f"{CONFIG.results}/analyses/{target}.json"
    return outputs


def sweep_of(sweep_id):
    """Return the resolved sweep of an id."""
    for sweep in PLAN.sweeps.values():
        if sweep["sweep_id"] == sweep_id:
            return sweep
    raise WorkflowError(f"sweep {sweep_id} does not belong to preset {CONFIG.preset}")


def sweep_files(sweep_id):
    """Return what a sweep publishes."""
    names = "trials.csv result.json best.json figure.svg figure.png figure.csv"
    return [f"{CONFIG.results}/sweeps/{sweep_id}/{name}" for name in names.split()]


def demo_files(wildcards):
    """Return the files of all targets, in smoke only."""
    if CONFIG.preset != "smoke":
        raise WorkflowError(
            f"demo runs the smoke preset, but preset={CONFIG.preset}; leave it out"
        )
    return TARGET_FILES


def study_files(wildcards):
    """Return what a study makes."""
    if STUDY is None:
        raise WorkflowError(
            "study needs the file of one: --config study=my.yaml "
            "(structnets new-study --images DIR, or --cohort DIR --label COLUMN, writes it)"
        )
    return STUDY.report(CONFIG.results)


def asked_of_study(study):
    """Digest what a report of a study is made for."""
    runs = sorted({run.run_id for run in study.runs})
    # Groups of pictures are no part of the list's name.
    gathered = getattr(study, "gathered", None)
    groups = {} if gathered is None else gathered.pictures.groups
    return identity.digest(
        [
            runs,
            study.study.model_dump(mode="json", exclude_defaults=True),
            study.list_file.stem,
            *([groups] if groups else []),
        ]
    )


def begin_study(study):
    """Say what a study will take; its jobs load these files once more, and are told its list."""
    os.environ[PINNED] = str(study.list_file)
    if workflow.is_main_process:
        forget_broken_jobs(study, CONFIG.results)
        try:
            estimate = estimate_study(
                study, CONFIG.scratch, CONFIG.results, CONFIG.prepared
            )
        except ValueError as error:
            raise WorkflowError(str(error))
        logger.info(f"study {study.name}: {estimate}")


STUDIES = [] if STUDY is None else [STUDY]

for _study in STUDIES:
    begin_study(_study)

TARGET_FILES = [
    *(
        str(path)
        for table in PLAN.tables.values()
        if CONFIG.preset == "smoke" or not table.result_in_smoke
        for path in target_outputs(table).values()
    ),
    *(
        path
        for sweep in PLAN.sweeps.values()
        for path in sweep_files(sweep["sweep_id"])
    ),
    *(
        str(path)
        for target in PLAN.analyses
        for path in analysis_outputs(target).values()
    ),
    *(str(path) for name in PLAN.drawings for path in drawn_outputs(name).values()),
]


def check_command_line():
    """Explain a wrong name, or an empty plan, of this call; its jobs are not asked again.

    Snakemake knows what was asked for only after it has read this file, so that its own parser
    is asked.
    """
    called = Path(sys.argv[0])
    if workflow.is_main_process and "snakemake" in (called.stem, called.parent.name):
        asked = get_argument_parser().parse_args(sys.argv[1:])
        rules = {rule.name for rule in workflow.rules}
        try:
            check_asked(asked.targets, rules, PLAN, CONFIG)
            for option in ("forcerun", "until", "omit_from", "prioritize"):
                named = getattr(asked, option) or ()
                check_named_rules(f"--{option.replace('_', '-')}", named, rules)
        except ValueError as error:
            raise WorkflowError(str(error))
        if asked.dryrun:
            # What is to be made is known at the end alone, and a plan has no hook there.
            atexit.register(tell_missing_originals)
