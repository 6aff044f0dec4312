"""The study `robust-gan`: does a Wasserstein GAN with robust batch weights leave the outliers out?"""
