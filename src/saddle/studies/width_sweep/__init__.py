"""The main job: real GANs of several widths and seeds on one set of images, scored and compared."""
