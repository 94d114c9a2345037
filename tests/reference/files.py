"""Rows into files."""


class Files:
    """Cuts rows into files by rows and bytes."""

    def __init__(self, job, header, run_time, run_id):
        self.job, self.header, self.run_time, self.run_id = job, header, run_time, run_id
        self.parts = []

    def add(self, row):
        job = self.job
        cut = not self.parts or self.parts[-1][0] >= job.max_rows
        if not cut and job.max_bytes is not None:
            cut = len(self.parts[-1][1]) + len(row) > job.max_bytes
        if cut:
            first = not self.parts
            with_header = job.header == "every" or (job.header == "first" and first)
            self.parts.append([0, bytearray(self.header if with_header else b"")])
        self.parts[-1][0] += 1
        self.parts[-1][1] += row

    def named(self):
        names = {}
        for number, (_, content) in enumerate(self.parts, 1):
            name = self.job.file_name
            for key, text in (("name", self.job.name), ("run_time", self.run_time), ("run_id", self.run_id),
                              ("part", f"{number:04d}")):
                name = name.replace("{" + key + "}", text)
            names[name] = bytes(content)
        return names
