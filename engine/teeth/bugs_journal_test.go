package teeth

// journalBugs are in the file store.
var journalBugs = []bug{
	{
		name: "a file is not synced before the rename", file: "engine/journal/disk.go",
		old: `err = f.Sync()
	}
	if cerr`,
		new: `err = nil
	}
	if cerr`,
	},
	{
		name: "the directory is not synced after the rename", file: "engine/journal/disk.go",
		old: `return d.syncDir(filepath.Dir(path))`,
		new: `return nil`,
	},
	{
		name: "a file is written in place", file: "engine/journal/disk.go",
		old: `temp := path + tempSuffix`,
		new: `temp := path`,
	},
	{
		name: "a new directory is not synced", file: "engine/journal/disk.go",
		old: `if err := d.syncDir(parent); err != nil`,
		new: `if err := error(nil); err != nil`,
	},
	{
		name: "checksums are not compared", file: "engine/journal/seal.go",
		old: `f.Sum = sumOf(f.Body)`,
		new: `_ = sumOf(f.Body)`,
	},
	{
		name: "an intent that cannot be read counts as none", file: "engine/journal/file.go",
		old: `return nil, &CorruptError{Key: key, Path: path, Err: err}`,
		new: `return nil, nil`,
	},
	{
		name: "an empty directory counts as a store without requests", file: "engine/journal/file.go",
		old: `case missing && create == CreateNo:`,
		new: `case missing && create == CreateNo && s.dir == "":`,
	},
	{
		name: "a new store does not remember when it began", file: "engine/journal/file.go",
		old: `text.Since = now.UTC()`,
		new: `_ = now`,
	},
	{
		name: "the fence does not rise", file: "engine/journal/lease.go",
		old: `fence := info.Size() + 1`,
		new: `fence := max(info.Size(), 1)`,
	},
	{
		name: "a lock that was lost still writes", file: "engine/journal/lease.go",
		old: `case !current:`,
		new: `case false:`,
	},
	{
		name: "a held lock is given to another as well", file: "engine/journal/system_flock.go",
		old: `if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return err`,
		new: `if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	return err`,
		scripts: []string{"locked"},
	},
	{
		name: "an open intent is replaced by another", file: "engine/journal/lease.go",
		old: `if old != nil && old.OpID != in.OpID {`,
		new: `if old != nil && old.OpID == "" {`,
	},
	{
		name: "the intent goes before its line in history is there", file: "engine/journal/lease.go",
		old: `if err := l.store.append(r, old != nil || err != nil); err != nil {`,
		new: `_ = l.store.disk.remove(l.store.openPath(l.key))
	if err := l.store.append(r, old != nil || err != nil); err != nil {`,
	},
	{
		name: "the removal of an intent is not synced", file: "engine/journal/lease.go",
		old: `return l.store.disk.syncDir(filepath.Join(l.store.dir, "open"))`,
		new: `return nil`,
	},
	{
		name: "a line of history is not synced", file: "engine/journal/history.go",
		old: `if err := f.Sync(); err != nil {`,
		new: `if err := error(nil); err != nil {`,
	},
	{
		name: "the chain of history is not compared", file: "engine/journal/history.go",
		old: `sum != c.Sum {`,
		new: `sum == "" {`,
	},
	{
		name: "a closed request gets a second line", file: "engine/journal/history.go",
		old: `case last != nil && last.Intent.OpID == r.Intent.OpID:`,
		new: `case last != nil && last.Intent.OpID == "":`,
	},
	{
		name: "what is not open can be closed", file: "engine/journal/history.go",
		old: `case !open:`,
		new: `case false:`,
	},
}
