"""From files and pixels to entities: readers of annotation formats, detectors, the synthetic scene maker."""
