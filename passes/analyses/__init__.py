"""What passes find out about a program; where it takes ops to say it, they go before a loop."""
