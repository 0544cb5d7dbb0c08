package main

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// terminal writes for people: wrapped and coloured where there is a terminal, one line for each thing where there is none.
type terminal struct {
	out   io.Writer
	width int // 0: no terminal, nothing is wrapped
	color bool
}

// newTerminal looks at what out is. NO_COLOR, when it is set, and TERM=dumb mean no colour: https://no-color.org.
func newTerminal(out *os.File) *terminal {
	t := &terminal{out: out}
	if !term.IsTerminal(int(out.Fd())) {
		return t
	}
	if width, _, err := term.GetSize(int(out.Fd())); err == nil {
		t.width = max(width, 40)
	}
	t.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return t
}

// style is how something looks, as the numbers of an escape sequence.
type style string

const (
	plain  style = ""
	bold   style = "1"
	faint  style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// span is a piece of text of one style.
type span struct {
	style
	text string
}

// line writes spans as a line, wrapped between words, the later lines indented.
func (t *terminal) line(indent int, spans ...span) {
	var b strings.Builder
	column := 0
	for _, s := range spans {
		for i, word := range strings.Split(clean(s.text), " ") {
			n := utf8.RuneCountInString(word)
			if i > 0 {
				if t.width > 0 && column+1+n > t.width && column > indent {
					b.WriteString("\n" + strings.Repeat(" ", indent))
					column = indent
				} else {
					b.WriteByte(' ')
					column++
				}
			}
			b.WriteString(t.paint(s.style, word))
			column += n
		}
	}
	b.WriteByte('\n')
	_, _ = io.WriteString(t.out, b.String())
}

func (t *terminal) paint(s style, text string) string {
	if !t.color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// clean keeps what others have written from moving the cursor.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
