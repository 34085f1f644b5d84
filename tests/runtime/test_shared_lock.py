"""SharedLock: shared by several threads, or had alone by one."""

import threading

from spacy_pretrained.runtime.shared_lock import SharedLock

SECONDS = 60


def test_several_share_it():
    lock, both = SharedLock(), threading.Barrier(2, timeout=SECONDS)

    def share() -> None:
        with lock.shared():
            both.wait()

    threads = [threading.Thread(target=share) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not both.broken


def test_who_is_alone_is_alone_and_is_not_overtaken():
    lock, said = SharedLock(), []

    def share() -> None:
        with lock.shared():
            said.append("shared")

    def be_alone() -> None:
        with lock.alone():
            said.append("alone")
            latecomer.start()
            latecomer.join(0.1)
            with lock.alone(), lock.shared():  # again, by the same thread
                said.append("still alone")

    latecomer, alone = threading.Thread(target=share), threading.Thread(target=be_alone)
    with lock.shared():
        alone.start()
        alone.join(0.1)
        assert said == []
    alone.join(SECONDS)
    latecomer.join(SECONDS)
    assert said == ["alone", "still alone", "shared"]
