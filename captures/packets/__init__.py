"""Packets: from the bytes of a pcap or pcapng file to conversations and what they say in clear, one job a module."""
