"""Study: whether the best step size moves with the width, in the standard and the maximal update parameterisation."""
