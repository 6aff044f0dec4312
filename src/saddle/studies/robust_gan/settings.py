"""The training sets of the study, by name."""

from saddle.studies.robust_gan.mixture import Setting

__all__ = ["LIGHT", "SETTINGS"]

LIGHT = 3
"Number of the light mode, where there is one."
UNEQUAL, MORE_UNEQUAL = (0.3, 0.3, 0.3, 0.1), (0.32, 0.32, 0.31, 0.05)
SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(name="cluster 10 %", contamination=0.1, kind="cluster"),
        Setting(name="cluster 5 %", contamination=0.05, kind="cluster", assumed=0.05),
        Setting(name="uniform 10 %", contamination=0.1, kind="uniform"),
        Setting(name="clean"),
        Setting(name="light mode", shares=UNEQUAL),
        Setting(name="lighter mode", shares=MORE_UNEQUAL),
        Setting(name="light mode, cluster 10 %", contamination=0.1, kind="cluster", shares=UNEQUAL),
    )
}
