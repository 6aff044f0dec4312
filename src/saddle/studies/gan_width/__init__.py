"""What width does to a GAN: the image study of Balaji et al. 2021 on anybody's images, every claim re-measured."""
