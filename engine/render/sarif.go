package render

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
)

// Tool is who says it, for formats that tell.
type Tool struct {
	Version string
	// Rules has a sentence on every rule that may occur.
	Rules map[string]string
}

// The parts of SARIF 2.1.0 (OASIS, sections 3.13 to 3.30) that we write.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

// SARIF writes annotations as a log of SARIF 2.1.0, for code scanning. What
// concerns no line of the head is put to line 1 of its file.
func SARIF(w io.Writer, all []Annotation, tool Tool) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
		Tool: sarifTool{sarifDriver{Name: "clusterctl", Version: tool.Version, Rules: []sarifRule{}}}}
	index := map[string]int{}
	for _, a := range all {
		index[a.Rule] = 0
	}
	var ids []string
	for id := range index {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i, id := range ids {
		index[id] = i
		text := tool.Rules[id]
		if text == "" {
			text = id
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{id, sarifText{text}, sarifText{text}, sarifText{text}})
	}
	prints := fingerprints(all)
	for i, a := range all {
		level := string(a.Level)
		if a.Level == LevelNotice {
			level = "note"
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: a.Rule, RuleIndex: index[a.Rule], Level: level, Message: sarifText{plainMessage.Replace(told(a))},
			Locations:    []sarifLocation{{sarifPhysical{sarifArtifact{uri(a.File), "%SRCROOT%"}, region(a)}}},
			Fingerprints: map[string]string{"clusterctl/v1": prints[i]},
		})
	}
	return encode(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// plainMessage takes from a text what would be a placeholder or a link (SARIF
// 2.1.0, sections 3.11.5 and 3.11.6).
var plainMessage = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (")

// told is an annotation's text: its title as the first sentence, unless that is
// just the rule.
func told(a Annotation) string {
	title, message := Clean(a.Title), printable(a.Message)
	if a.InBase && a.File != "" {
		message += "\n" + Clean(a.File) + " of the base"
	}
	switch {
	case title == "" || title == a.Rule:
		return message
	case message == "":
		return title
	}
	return title + ". " + message
}

func region(a Annotation) sarifRegion {
	if a.InBase || a.Line < 1 {
		return sarifRegion{StartLine: 1}
	}
	r := sarifRegion{StartLine: a.Line, StartColumn: max(a.Column, 0)}
	if r.StartColumn > 0 && a.EndColumn > r.StartColumn {
		r.EndColumn = a.EndColumn
	}
	return r
}

// uri is a file's path as a relative reference (RFC 3986, section 4.2).
func uri(file string) string {
	if file == "" {
		return "."
	}
	return (&url.URL{Path: strings.ToValidUTF8(file, "�")}).String()
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
