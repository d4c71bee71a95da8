import os
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

class VideoError(Exception): ...

class Options:
    fov: Optional[float]
    stature: Optional[float]
    camera_height: Optional[float]
    camera_calibration: Optional[str]
    up: Optional[str]
    floor: Optional[float]
    person: Optional[int]
    fps: Optional[float]
    start: Optional[float]
    end: Optional[float]
    sync: bool
    estimates: bool
    preview: bool
    force: bool
    arguments: Tuple[str, ...]
    def __init__(
        self,
        fov: Optional[float] = None,
        stature: Optional[float] = None,
        camera_height: Optional[float] = None,
        camera_calibration: Optional[str] = None,
        up: Optional[str] = None,
        floor: Optional[float] = None,
        person: Optional[int] = None,
        fps: Optional[float] = None,
        start: Optional[float] = None,
        end: Optional[float] = None,
        sync: bool = False,
        estimates: bool = True,
        preview: bool = False,
        force: bool = False,
        arguments: Tuple[str, ...] = (),
    ) -> None: ...
    def check(self) -> None: ...

def run(
    paths: Sequence[Union[str, os.PathLike[str]]],
    out: Union[str, os.PathLike[str]],
    options: Optional[Options] = None,
    detector: Optional[Any] = None,
    tell: Callable[[str], Any] = ...,
    progress: Callable[[str, int, int], Any] = ...,
) -> Union[str, List[str]]: ...
