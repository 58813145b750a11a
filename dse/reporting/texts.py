"""What a page says in its own words: how to read it, and what each figure shows."""

NO_FRONT = (
    "No point is on the front: no trained network runs on any machine of the space within the constraints.",
    "The failures below say why, and so does each network's line in networks.jsonl.",
)
PARETO_CAPTION = (
    "Filled circles: the front, from short training runs, scored by the folded integer network on validation samples. "
    "Grey: the best machines of networks that other networks beat. Diamonds and stars, where shown: networks of the "
    "front after longer training, on validation samples and on the test set, at the cost they have then; they are not "
    "part of the front. Bars are 95 % intervals."
)
POINTS_TEXT = (
    "Each entry is one network on one machine. Accuracies stand side by side and are never mixed: the folded integer "
    "network, which is what the machine computes, and below it the float network. Costs are those of the short run. "
    "A point is tied with one that costs no more where the 95 % intervals of their accuracies overlap: on other "
    "samples that one might have beaten it."
)
REFINED_TEXT = (
    "The front of the networks that were trained longer, priced with the firing rates of that training. These are the "
    "figures to quote: the test set was touched once, after everything had been chosen."
)
PARALLEL_CAPTION = (
    "One line per front point. Drag along an axis to keep a range and grey the rest; drag a title to reorder the axes."
)
LAYERS_CAPTION = (
    "Compute: the array works. Stall: it waits for DRAM. Fill: the first transfer in and the last one out of a group "
    "of fused layers."
)
IMPORTANCE_TEXT = (
    "The share of an objective's variance, costs in decades, that a gene explains alone among the candidates of this "
    "study, less what as many groups explain by chance (epsilon squared). A search does not draw its candidates at "
    "random: read it as a hint.",
)
HOW_TO_READ = (
    "A point is a network on a machine. It is on the front when no other point is at least as good in every objective "
    "and better in one. Which of them to build is a choice that the numbers alone do not make: start where the curve "
    "bends.",
    "Deployed accuracy is that of the folded integer network, which is what the accelerator computes bit for bit; "
    "float accuracy stands beside it. Short runs rank networks and understate them; refined runs train longer; the "
    "test set is touched once, at the end, and chose nothing.",
    "An interval covers the chance of the draw of samples only (Wilson, 95 %), not that of another training seed. Two "
    "points whose intervals overlap widely are not told apart by this study.",
)
