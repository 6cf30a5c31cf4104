"""The market: feeds, posts, companies, topics, stories, counts over time, dashboards."""
