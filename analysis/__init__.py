"""What the traffic means: what each call is for, which data it carries, and whether the vendor said so."""

VERSION = "0.1.0"
