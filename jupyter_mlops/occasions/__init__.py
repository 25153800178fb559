"""What makes things start by themselves: cron lines, and files that change."""
