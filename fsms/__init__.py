"""The back office of Friendship School: pupils, courses, marks and attendance."""
