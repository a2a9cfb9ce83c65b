package render

import "io"

// quality is one violation ("Code Quality", report format).
type quality struct {
	Description string          `json:"description"`
	CheckName   string          `json:"check_name"`
	Fingerprint string          `json:"fingerprint"`
	Severity    string          `json:"severity"`
	Location    qualityLocation `json:"location"`
}

type qualityLocation struct {
	Path  string       `json:"path"`
	Lines qualityLines `json:"lines"`
}

type qualityLines struct {
	Begin int `json:"begin"`
}

// severities are GitLab's words.
var severities = map[Level]string{LevelError: "critical", LevelWarning: "major", LevelNotice: "info"}

// CodeQuality writes annotations as GitLab's code quality report. What concerns
// no line of the head is put to line 1 of its file.
func CodeQuality(w io.Writer, all []Annotation) error {
	list := []quality{}
	prints := fingerprints(all)
	for i, a := range all {
		path := Clean(a.File)
		if path == "" {
			path = "."
		}
		list = append(list, quality{Description: told(a), CheckName: "clusterctl/" + a.Rule, Fingerprint: prints[i],
			Severity: severities[a.Level], Location: qualityLocation{path, qualityLines{region(a).StartLine}}})
	}
	return encode(w, list)
}
