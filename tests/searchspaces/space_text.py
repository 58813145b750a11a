"""A small valid space file for the tests, and variants of it."""

SMALL = """\
[space]
name = "small"
dataset = "digits"

[network]
timesteps = [1, 2]
pooling = ["or", "average"]
head = ["fc", "gap"]
reset = ["hard", "soft"]

[[network.layers]]
name = "conv1"
kind = "conv"
channels = [2, 3]
pool = [1, 2]
weights = ["binary", 2]
dual_threshold = [false, true]
prune_ratio = [0, 0.4, 0.5]

[[network.layers]]
name = "fc1"
kind = "fc"
channels = [4, 6]
weights = 4
dual_threshold = [false, true]

[network.classifier]
weights = ["binary", 8]
kernel = [1, 3]

[accelerator]
vector_width = [2, 4]
channel_lanes = 4
fusion_depth = [1, 2]
spike_buffer_kib = [4, 8]
weight_buffer_kib = [4, 8, 16]
time_order = ["inner", "outer"]
membrane_buffer_kib = [0, 8, 16]

[training.short]
epochs = 2

[training.refine]
epochs = 4
train_samples = "all"
"""
