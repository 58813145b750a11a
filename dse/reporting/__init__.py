"""From a study to one self-contained page: report data, figures drawn from it, the page around them."""
