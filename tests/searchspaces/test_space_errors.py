"""Every message of a broken space file, from its start: what, rule, value, file and line, fix; all of them at once."""

import re
from pathlib import Path

import pytest
from space_text import SMALL

from searchspaces.document import preset_names
from searchspaces.errors import Problem, SpaceError
from searchspaces.space import SearchSpace, check, load_space

# Old text, new text, a fragment that last stands on the line to be named, message before the place, message behind it.
CASES = {
    "unknown table": (
        "[training.short]",
        "[trainings]\n[training.short]",
        "[trainings]",
        'trainings must be one of space, images, network, accelerator, technology, training, not "trainings"',
        "; did you mean 'training'?",
    ),
    "unknown network key": (
        "timesteps = [1, 2]",
        "timesteps = [1, 2]\ntimestep = 3",
        "timestep = 3",
        "network.timestep must be one of timesteps, levels, pooling, head, reset, dynamic_pruning, bwo, "
        'first_stage_timesteps, route, binarize, ale_saving, ale_loss, layers, classifier, not "timestep"',
        "; did you mean 'timesteps'?",
    ),
    "unknown layer key": (
        "weights = 4",
        "weights = 4\nduel_threshold = true",
        "duel",
        "fc1.duel_threshold must be one of name, kind, channels, kernel, stride, pool, weights, dual_threshold, "
        'prune_ratio, not "duel_threshold"',
        "; did you mean 'dual_threshold'?",
    ),
    "unknown classifier key": (
        "kernel = [1, 3]",
        "channels = 10",
        "channels = 10",
        'classifier.channels must be one of weights, kernel, not "channels"',
        "",
    ),
    "unknown axis": (
        "channel_lanes = 4",
        "channel_lanes = 4\nlanes = 4",
        "lanes = 4\n",
        "accelerator.lanes must be one of vector_width, channel_lanes, fusion_depth, spike_buffer_kib, "
        'weight_buffer_kib, time_order, membrane_buffer_kib, not "lanes"',
        "; did you mean 'channel_lanes'?",
    ),
    "unknown recipe key": (
        "epochs = 2",
        "epochs = 2\nlearningrate = 0.1",
        "learningrate",
        "training.short.learningrate must be one of epochs, train_samples, batch_size, learning_rate, weight_decay, "
        'surrogate, surrogate_width, augment, label_smoothing, precision, time_budget_s, not "learningrate"',
        "; did you mean 'learning_rate'?",
    ),
    "empty domain": (
        "channels = [2, 3]",
        "channels = []",
        "channels = []",
        "conv1.channels must have at least one choice, not []",
        "; each choice must be a whole number of at least 1",
    ),
    "repeated choice": (
        "channels = [4, 6]",
        "channels = [4, 6, 4]",
        "channels = [4, 6, 4]",
        "fc1.channels must not repeat a choice, not [4, 6, 4]",
        "; drop one 4",
    ),
    "choice on its own line": (
        "channels = [4, 6]",
        "channels = [\n4,\n-6,\n]",
        "-6,",
        "fc1.channels must be a whole number of at least 1, not -6",
        "",
    ),
    "no time step": (
        "timesteps = [1, 2]",
        "timesteps = [0, 2]",
        "timesteps",
        "network.timesteps must be a whole number of at least 1, not 0",
        "",
    ),
    "quoted number": (
        "channel_lanes = 4",
        'channel_lanes = "4"',
        "channel_lanes",
        'accelerator.channel_lanes must be a whole number of at least 1, not "4"',
        "; write 4 without quotes",
    ),
    "flag for a number": (
        "channel_lanes = 4",
        "channel_lanes = true",
        "channel_lanes",
        "accelerator.channel_lanes must be a whole number of at least 1, not true",
        "",
    ),
    "number for a flag": (
        "dual_threshold = [false, true]\nprune_ratio",
        "dual_threshold = 1\nprune_ratio",
        "dual_threshold = 1",
        "conv1.dual_threshold must be true or false, not 1",
        "",
    ),
    "one-bit weights": (
        "weights = 4",
        "weights = 1",
        "weights = 1",
        "fc1.weights must be one of binary, 2, 4, 8, not 1",
        '; one-bit weights are written "binary"',
    ),
    "misspelt weights": (
        "weights = 4",
        'weights = "binery"',
        "binery",
        'fc1.weights must be one of binary, 2, 4, 8, not "binery"',
        "; did you mean 'binary'?",
    ),
    "even kernel": (
        "kernel = [1, 3]",
        "kernel = [2, 3]",
        "kernel = [2, 3]",
        "classifier.kernel must be an odd whole number from 1 to 7, not 2",
        "",
    ),
    "everything pruned": (
        "prune_ratio = [0, 0.4, 0.5]",
        "prune_ratio = [0, 1.0]",
        "prune_ratio",
        "conv1.prune_ratio must be a number from 0 to below 1, not 1.0",
        "",
    ),
    "nothing pruned": (
        "prune_ratio = [0, 0.4, 0.5]",
        "prune_ratio = [0, 0.1]",
        "prune_ratio",
        "conv1.prune_ratio must be 0 or remove at least one of at most 3 kernels, not 0.1",
        "; use 0 or 0.333 and more",
    ),
    "pruned fc": (
        "weights = 4",
        "weights = 4\nprune_ratio = 0.5",
        "prune_ratio = 0.5\n",
        "fc1.prune_ratio must be left out of an fc layer, not 0.5",
        "; only conv layers have it; drop it",
    ),
    "pooled fc": (
        "weights = 4",
        "weights = 4\npool = 2",
        "pool = 2\n",
        "fc1.pool must be left out of an fc layer, not 2",
        "; only conv layers have it; drop it",
    ),
    "unknown data set": (
        'dataset = "digits"',
        'dataset = "digit"',
        "dataset",
        "space.dataset must be one of digits, mnist, fashion-mnist, cifar10, cifar100, n-mnist, dvs128-gesture, "
        'cifar10-dvs, not "digit"',
        "; did you mean 'digits'?",
    ),
    "missing key": (
        "timesteps = [1, 2]\n",
        "",
        "[network]",
        "network.timesteps must be a whole number of at least 1",
        "; it is missing",
    ),
    "missing name": (
        'name = "small"\n',
        "",
        "[space]",
        "space.name must be a non-empty text",
        "; it is missing",
    ),
    "missing epochs": (
        "epochs = 2\n",
        "",
        "[training.short]",
        "training.short.epochs must be a whole number of at least 1",
        "; it is missing",
    ),
    "missing layer name": (
        'name = "fc1"\n',
        "",
        "[[network.layers]]",
        "layer name must be lower-case letters, digits and _, unlike any other layer and 'classifier'",
        "; it is missing",
    ),
    "layer called twice": (
        'name = "fc1"',
        'name = "conv1" # again',
        "again",
        "layer name must be lower-case letters, digits and _, unlike any other layer and 'classifier', not \"conv1\"",
        "",
    ),
    "layer called classifier": (
        'name = "fc1"',
        'name = "classifier"',
        '"classifier"',
        "layer name must be lower-case letters, digits and _, unlike any other layer and 'classifier', "
        'not "classifier"',
        "",
    ),
    "unknown kind": (
        'kind = "fc"',
        'kind = "lstm"',
        "lstm",
        'fc1.kind must be one of conv, fc, not "lstm"',
        "",
    ),
    "missing table": (
        '[network.classifier]\nweights = ["binary", 8]\nkernel = [1, 3]\n',
        "",
        "[network]",
        "network.classifier must be there",
        "; add a table [network.classifier]",
    ),
    "dual threshold with odd channels": (
        "channels = [4, 6]",
        "channels = [5, 7]",
        "dual_threshold",
        "fc1.dual_threshold must be false where fc1.channels is odd (5, 7), not true",
        "; make the channels even or drop it",
    ),
    "forced dual threshold": (
        "dual_threshold = [false, true]\nprune_ratio",
        "dual_threshold = true\nprune_ratio",
        "dual_threshold = true",
        "conv1.dual_threshold must be false where conv1.channels is odd (3), not true",
        "; make the channels even or drop it",
    ),
    "fc under gap": (
        'head = ["fc", "gap"]',
        'head = "gap"',
        "[[network.layers]]",
        'fc1 must be left out under head "gap" alone, not "fc"',
        '; add "fc" to network.head or drop the layer',
    ),
    "gap kernel under fc": (
        'head = ["fc", "gap"]',
        'head = "fc"',
        "kernel = [1, 3]",
        'classifier.kernel must be left out under head "fc" alone, not [1, 3]',
        '; drop it or add "gap" to network.head',
    ),
    "gap without conv": (
        'pooling = ["or", "average"]\nhead = ["fc", "gap"]\nreset = ["hard", "soft"]\n\n[[network.layers]]\n'
        'name = "conv1"\nkind = "conv"\nchannels = [2, 3]\npool = [1, 2]\nweights = ["binary", 2]\n'
        "dual_threshold = [false, true]\n"
        "prune_ratio = [0, 0.4, 0.5]\n",
        'head = ["fc", "gap"]\n[[network.layers]]\nname = "fc0"\nkind = "fc"\nchannels = [2]\nweights = 2\n',
        "head",
        'network.layers must have a conv layer under head "gap"',
        '; add a conv layer or take "gap" out of network.head',
    ),
    "pool larger than the map": (
        "pool = [1, 2]",
        'pool = [1, 4]\nstride = [1, 2]\nweights = 2\n[[network.layers]]\nname = "conv2"\nkind = "conv"\nchannels = 3\n'
        'pool = 3\nweights = "binary"\n[[network.layers]]\nname = "conv3"\nkind = "conv"\nchannels = 2',
        "pool = 3",
        "conv2.pool must be at most 1 on the 1 x 1 map that earlier strides and pools may leave, not 3",
        "; pool or stride less in this layer or before",
    ),
    "pooling without pools": (
        "pool = [1, 2]",
        "pool = 1",
        "pooling",
        'network.pooling must be left out where no layer pools, not ["or", "average"]',
        "; drop it or give a layer pool = 2",
    ),
    "reset at one time step": (
        "timesteps = [1, 2]",
        "timesteps = 1",
        "reset",
        'network.reset must be left out at one time step, which never uses the membrane again, not ["hard", "soft"]',
        "; drop it or allow more",
    ),
    "no membrane buffer": (
        "membrane_buffer_kib = [0, 8, 16]",
        "membrane_buffer_kib = 0",
        "membrane_buffer_kib",
        'accelerator.membrane_buffer_kib must have a choice above 0 under time_order "outer", not [0]',
        '; give it a size, or take "outer" out of accelerator.time_order',
    ),
    "membrane buffer left out": (
        "membrane_buffer_kib = [0, 8, 16]\n",
        "",
        "[accelerator]",
        'accelerator.membrane_buffer_kib must have a choice above 0 under time_order "outer", not [0]',
        '; give it a size, or take "outer" out of accelerator.time_order',
    ),
    "useless membrane buffer": (
        'time_order = ["inner", "outer"]',
        'time_order = "inner"',
        "membrane_buffer_kib",
        'accelerator.membrane_buffer_kib must be 0 without time_order "outer", not [0, 8, 16]',
        '; leave it out, or add "outer" to accelerator.time_order',
    ),
    "several strengths": (
        "timesteps = [1, 2]",
        "timesteps = [1, 2]\nlevels = [1, 2]",
        "levels",
        "network.levels must be one of 1, 3, 7, not 2",
        "",
    ),
    "strengths and a hard reset": (
        'reset = ["hard", "soft"]',
        'levels = [1, 3]\nreset = "hard"',
        "reset",
        'network.reset must allow soft where levels may be 3: a strength is what is subtracted, not ["hard"]',
        '; write reset = "soft"',
    ),
    "strengths alone and two resets": (
        'reset = ["hard", "soft"]',
        'levels = [3, 7]\nreset = ["hard", "soft"]',
        "reset",
        "network.reset must be soft alone where levels are never 1: a strength is what is subtracted, "
        'not ["hard", "soft"]',
        '; write reset = "soft"',
    ),
    "no strength": (
        "timesteps = [1, 2]",
        "timesteps = [1, 2]\nlevels = 0",
        "levels",
        "network.levels must be one of 1, 3, 7, not 0",
        "",
    ),
    "membrane pooling at one step": (
        'timesteps = [1, 2]\npooling = ["or", "average"]\nhead = ["fc", "gap"]\nreset = ["hard", "soft"]\n',
        'timesteps = 1\npooling = ["or", "membrane"]\nhead = ["fc", "gap"]\n',
        "pooling",
        'network.pooling must be "or" instead of "membrane" at one time step, where both pass the same spikes, '
        'not ["or", "membrane"]',
        '; write "or" or allow more steps',
    ),
    "nothing to re-admit": (
        'reset = ["hard", "soft"]\n\n[[network.layers]]\nname = "conv1"\nkind = "conv"\nchannels = [2, 3]\n'
        'pool = [1, 2]\nweights = ["binary", 2]\ndual_threshold = [false, true]\nprune_ratio = [0, 0.4, 0.5]\n',
        'dynamic_pruning = [false, true]\n\n[[network.layers]]\nname = "conv1"\nkind = "conv"\nchannels = [2, 3]\n'
        'pool = [1, 2]\nweights = ["binary", 2]\n',
        "dynamic_pruning",
        "network.dynamic_pruning must be left out where no layer is pruned, not [false, true]",
        "; drop it or give a layer a prune_ratio",
    ),
    "nothing to flip": (
        'reset = ["hard", "soft"]\n\n[[network.layers]]\nname = "conv1"\nkind = "conv"\nchannels = [2, 3]\n'
        'pool = [1, 2]\nweights = ["binary", 2]\ndual_threshold = [false, true]\nprune_ratio = [0, 0.4, 0.5]\n\n'
        '[[network.layers]]\nname = "fc1"\nkind = "fc"\nchannels = [4, 6]\nweights = 4\n'
        'dual_threshold = [false, true]\n\n[network.classifier]\nweights = ["binary", 8]\n',
        'bwo = true\n\n[[network.layers]]\nname = "conv1"\nkind = "conv"\nchannels = 4\npool = [1, 2]\nweights = 2\n'
        "\n[network.classifier]\nweights = 8\n",
        "bwo",
        "network.bwo must be left out where no layer is binary, not [true]",
        '; drop it or give a layer weights = "binary"',
    ),
    "unknown pooling": (
        'pooling = ["or", "average"]',
        'pooling = "max"',
        "pooling",
        'network.pooling must be one of or, average, membrane, count, not "max"',
        "",
    ),
    "BWO of a layer": (
        "weights = 4",
        "weights = 4\nbwo = true",
        "bwo",
        "fc1.bwo must be one of name, kind, channels, kernel, stride, pool, weights, dual_threshold, prune_ratio, "
        'not "bwo"',
        "",
    ),
    "half an epoch": (
        "epochs = 2",
        "epochs = 0.5",
        "epochs = 0.5",
        "training.short.epochs must be a whole number of at least 1, not 0.5",
        "",
    ),
    "choices in a recipe": (
        "epochs = 2",
        "epochs = [2, 4]",
        "epochs = [2, 4]",
        "training.short.epochs must be a whole number of at least 1, not [2, 4]",
        "",
    ),
    "samples in words": (
        'train_samples = "all"',
        'train_samples = "most"',
        "most",
        'training.refine.train_samples must be a whole number of at least 1 or "all", not "most"',
        "",
    ),
    "endless learning": (
        "epochs = 4",
        "epochs = 4\nlearning_rate = inf",
        "learning_rate",
        "training.refine.learning_rate must be a number above 0, not inf",
        "",
    ),
    "unknown surrogate": (
        "epochs = 4",
        'epochs = 4\nsurrogate = "rectangle"',
        "rectangle",
        'training.refine.surrogate must be one of rectangular, arctan, not "rectangle"',
        "; did you mean 'rectangular'?",
    ),
    "unknown preset to extend": (
        'dataset = "digits"',
        'extends = "minst"',
        "extends",
        f'space.extends must be one of {", ".join(preset_names())}, not "minst"',
        "; did you mean 'mnist'?",
    ),
    "layer that the preset lacks": (
        'dataset = "digits"',
        'extends = "digits"\n[[network.layers]]\nname = "conv9"\n[x]',
        "conv9",
        'layer name must be one of conv1, conv2, fc1, each once, not "conv9"',
        "; did you mean 'conv2'?",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case: str, tmp_path: Path) -> None:
    old, new, fragment, before, behind = CASES[case]
    assert SMALL.count(old) >= 1
    text = SMALL.replace(old, new, 1)
    text = text.partition("[x]")[0]
    path = tmp_path / "mine.toml"
    path.write_text(text)
    line = text[: text.rindex(fragment)].count("\n") + 1
    expected = f"{before} ({path}:{line}){behind}"
    with pytest.raises(SpaceError, match=f"^{re.escape(expected)}$"):
        load_space(path)


def test_all_problems_at_once_in_file_order(tmp_path: Path) -> None:
    text = SMALL
    for old, new in (
        ("timesteps = [1, 2]", "timesteps = []"),
        ("channels = [2, 3]", "channels = [2, 3, 3.5]"),
        ("channels = [4, 6]", "channels = [5]"),
        ("kernel = [1, 3]", "kernel = 4"),
        ("membrane_buffer_kib = [0, 8, 16]", 'membrane_buffer_kib = "big"'),
        ("epochs = 4", "epochs = 0"),
    ):
        text = text.replace(old, new)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    problems = check(path)
    assert isinstance(problems, tuple)
    assert [problem.subject for problem in problems] == [
        "network.timesteps",
        "conv1.channels",
        "fc1.dual_threshold",
        "classifier.kernel",
        "accelerator.membrane_buffer_kib",
        "training.refine.epochs",
    ]
    lines = [int(problem.where.rpartition(":")[2]) for problem in problems]
    assert lines == sorted(lines)
    with pytest.raises(SpaceError) as error:
        load_space(path)
    assert str(error.value).splitlines() == [str(problem) for problem in problems]


def test_broken_gene_is_not_blamed_twice(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        SMALL.replace('pooling = ["or", "average"]', 'pooling = "max"').replace("pool = [1, 2]", "pool = 1")
    )
    with pytest.raises(
        SpaceError, match=r'^network\.pooling must be one of or, average, membrane, count, not "max" \(.*:7\)$'
    ):
        load_space(path)


@pytest.mark.parametrize(("pool", "edge"), [(4, 4), (3, 2)])
def test_pool_may_be_as_large_as_the_map(pool: int, edge: int, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    second = f'[[network.layers]]\nname = "conv2"\nkind = "conv"\nchannels = 3\nweights = 2\npool = {pool}\n\n'
    text = SMALL.replace("pool = [1, 2]", f"pool = {8 // edge}")  # the images have 8 x 8 pixels
    path.write_text(text.replace('[[network.layers]]\nname = "fc1"', second + '[[network.layers]]\nname = "fc1"'))
    assert isinstance(check(path), SearchSpace) == (pool <= edge)


def test_conv_behind_fc(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    last = '[[network.layers]]\nname = "conv2"\nkind = "conv"\nchannels = 3\nweights = 2\n\n'
    text = SMALL.replace("[network.classifier]", last + "[network.classifier]")
    path.write_text(text)
    line = text[: text.index('name = "conv2"')].count("\n")
    message = rf"^conv2 must stand before every fc layer \({re.escape(str(path))}:{line}\); move it up$"
    with pytest.raises(SpaceError, match=message):
        load_space(path)


def test_check_returns_the_space(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(SMALL)
    assert isinstance(check(tmp_path / "mine.toml"), SearchSpace)


def test_empty_file_lacks_every_table(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("")
    problems = check(path)
    assert isinstance(problems, tuple)
    messages = [str(problem) for problem in problems]
    for table in ("space", "network", "accelerator", "training.short", "training.refine"):
        assert f"{table} must be there ({path}); add a table [{table}]" in messages


def test_unknown_preset() -> None:
    expected = (
        rf"^space must be one of {', '.join(preset_names())}, or a \.toml file, not "
        r"\"minst\" \(presets\); did you mean 'mnist'\?$"
    )
    with pytest.raises(SpaceError, match=expected):
        load_space("minst")


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    expected = (
        rf"^file must be readable text \({re.escape(str(path))}\); No such file or directory; presets are cifar10"
    )
    with pytest.raises(SpaceError, match=expected):
        load_space(path)


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpaceError, match=rf"^file must be readable text \({re.escape(str(path))}\); 'utf-8' codec"):
        load_space(path)


def test_folder_for_a_file(tmp_path: Path) -> None:
    path = tmp_path / "folder.toml"
    path.mkdir()
    with pytest.raises(SpaceError, match=rf"^file must be readable text \({re.escape(str(path))}\); Is a directory"):
        load_space(path)


def test_torn_file(tmp_path: Path) -> None:
    path = tmp_path / "torn.toml"
    path.write_text("[space]\nname = 'a'\n[network\n")
    with pytest.raises(SpaceError, match=rf"^file must be TOML \({re.escape(str(path))}:3\); Expected ']'"):
        load_space(path)


def test_a_scalar_for_a_table(tmp_path: Path) -> None:
    path = tmp_path / "scalar.toml"
    path.write_text("accelerator = 3\nnetwork = 4\nspace = 5\ntraining = 6\n")
    problems = check(path)
    assert isinstance(problems, tuple)
    assert f"accelerator must be a table, not 3 ({path}:1); write [accelerator]" in [
        str(problem) for problem in problems
    ]
    assert len({problem.subject for problem in problems}) == len(problems)


def test_problem_without_value_or_fix() -> None:
    assert str(Problem("conv1", "stand first", "", "a.toml:3")) == "conv1 must stand first (a.toml:3)"
