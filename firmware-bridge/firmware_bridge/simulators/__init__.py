"""The other end of each device's wire, on pseudo-terminals, faults included: for the demo, the tests and a bare desk.

with Simulators("var/devices") as devices:
    devices.ports["id-reader"]              # a path to open; also "printer", "scanner", "gate-scanner"
    devices.reader.place(specimen("张伟"))   # .remove(), .fault("silent"), .fault("truncated", times=1)
    devices.printer.paper_out()             # .paper_ok(), .cover_open(), .silent(), .receipts, .wait_for_receipt()
    devices.scanner.scan("VP1…")            # devices.scanner_named("gate-scanner").scan("VP1…"), .send(b"rubbish")
    devices.unplug("printer"); devices.replug("printer")
"""

from firmware_bridge.simulators.bench import KINDS, Simulators, SimulatorsError, default_folder
from firmware_bridge.simulators.paper import Receipt
from firmware_bridge.simulators.printer import Condition, PrinterSimulator
from firmware_bridge.simulators.reader import Fault, IdReaderSimulator, State, specimen
from firmware_bridge.simulators.scanner import CodeScannerSimulator

__all__ = [
    "KINDS",
    "CodeScannerSimulator",
    "Condition",
    "Fault",
    "IdReaderSimulator",
    "PrinterSimulator",
    "Receipt",
    "Simulators",
    "SimulatorsError",
    "State",
    "default_folder",
    "specimen",
]
