"""Every failure provoked on purpose, and healthy runs beside them: does `saddle diagnose` tell them apart?"""
