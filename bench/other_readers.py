"""RapidOCR and Tesseract on one thread: a path of a page on each line of input, CPU seconds of each as JSON on each
line of output. RapidOCR runs twice: as it comes, and with the page brought down to 736 pixels for detection."""

import json
import os
import resource
import shutil
import subprocess
import sys

import cv2
from rapidocr import RapidOCR

ONE_THREAD = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Global.log_level": "error",
}


def cpu_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def of_rapidocr(engine, path):
    before = cpu_seconds(resource.RUSAGE_SELF)
    engine(path)
    return cpu_seconds(resource.RUSAGE_SELF) - before


def of_tesseract(path):
    before = cpu_seconds(resource.RUSAGE_CHILDREN)
    subprocess.run(
        ["tesseract", path, "-", "-l", "chi_sim", "--psm", "3"],
        env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return cpu_seconds(resource.RUSAGE_CHILDREN) - before


def main():
    cv2.setNumThreads(1)
    as_it_comes = RapidOCR(params=ONE_THREAD)
    shrunk = RapidOCR(params=ONE_THREAD | {"Det.limit_type": "max"})
    for line in sys.stdin:
        path = line.rstrip("\n")
        answer = {
            "RapidOCR": of_rapidocr(as_it_comes, path),
            "RapidOCR, detection at 736": of_rapidocr(shrunk, path),
        }
        if shutil.which("tesseract"):
            answer["Tesseract"] = of_tesseract(path)
        print(json.dumps(answer), flush=True)


main()
