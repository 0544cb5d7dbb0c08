package backendtest

import (
	"sync"

	"github.com/durable-lambda/durable-lambda/durable/backend"
)

// conditionTests check every condition against no item, an item of the owner and an item of another owner, and that a
// refusal returns what was found, whole.
func conditionTests() []test {
	at := backend.Sequence{Generation: 2, Number: 5}
	before := []backend.Sequence{{Generation: 2, Number: 4}, {Generation: 1, Number: 9}}
	after := []backend.Sequence{{Generation: 2, Number: 6}, {Generation: 3, Number: 0}}
	with := func(owner string, seqs ...backend.Sequence) []*backend.Item {
		var items []*backend.Item
		for _, seq := range seqs {
			items = append(items, &backend.Item{Owner: owner, Sequence: seq})
		}
		return items
	}
	none := []*backend.Item{nil}
	return []test{
		{"Put with Absent holds when there is no item", holds(backend.Absent(), none)},
		{"Put with Absent refuses when an item is there and returns it whole", refuses(backend.Absent(), with("me", at))},
		{"Put with Always holds whatever is there", holds(backend.Always(), append(none, with("me", at)...))},
		{"Put with Owned holds for an item of the owner", holds(backend.Owned("me"), with("me", at))},
		{"Put with Owned refuses an item of another and returns it whole", refuses(backend.Owned("me"), with("other", at))},
		{"Put with Owned refuses an item of nobody", refuses(backend.Owned("me"), with("", at))},
		{"Put with Owned refuses when there is no item", refuses(backend.Owned("me"), none)},
		{"Put with OwnedBefore holds for an earlier sequence, the generation first",
			holds(backend.OwnedBefore("me", at), with("me", before...))},
		{"Put with OwnedBefore refuses the same sequence and later ones",
			refuses(backend.OwnedBefore("me", at), with("me", append(after, at)...))},
		{"Put with OwnedBefore refuses an item of another", refuses(backend.OwnedBefore("me", at), with("other", before...))},
		{"Put with OwnedBefore refuses when there is no item", refuses(backend.OwnedBefore("me", at), none)},
		{"Put with OwnedAt holds for exactly the sequence", holds(backend.OwnedAt("me", at), with("me", at))},
		{"Put with OwnedAt refuses any other sequence",
			refuses(backend.OwnedAt("me", at), with("me", append(before, after...)...))},
		{"Put with OwnedAt refuses an item of another", refuses(backend.OwnedAt("me", at), with("other", at))},
		{"Put with OwnedAt refuses when there is no item", refuses(backend.OwnedAt("me", at), none)},
	}
}

func holds(cond backend.Condition, found []*backend.Item) func(*fixture) {
	return func(f *fixture) {
		for i, item := range found {
			next := f.before(i, item)
			f.must(f.Table.Put(f.ctx, next, cond))
			f.wantItem(next.Key, &next)
		}
	}
}

func refuses(cond backend.Condition, found []*backend.Item) func(*fixture) {
	return func(f *fixture) {
		for i, item := range found {
			next := f.before(i, item)
			want := f.get(next.Key)
			f.same("the item found", f.refused(f.Table.Put(f.ctx, next, cond)), want)
			f.wantItem(next.Key, want)
		}
	}
}

// before puts the item that the condition meets, nil for none, and returns one to put after it.
func (f *fixture) before(i int, found *backend.Item) backend.Item {
	f.Helper()
	sort := numbered("s%d", i+1)[i]
	if found != nil {
		item := f.full(sort)
		item.Owner, item.Sequence = found.Owner, found.Sequence
		f.put(item)
	}
	return f.plain(sort, "next")
}

func raceTests() []test {
	return []test{
		{"Racing puts with Absent have exactly one winner, and the others find it", raceAbsent},
		{"Racing puts with OwnedAt have exactly one winner for each version", raceOwnedAt},
	}
}

const racers = 8

func raceAbsent(f *fixture) {
	names := numbered("racer%d", racers)
	for _, sort := range numbered("contested%d", 4) {
		errs := f.race(func(i int) error {
			item := f.full(sort)
			item.Owner = names[i]
			return f.Table.Put(f.ctx, item, backend.Absent())
		})
		winner := f.get(f.full(sort).Key)
		wins := 0
		for i, err := range errs {
			if err == nil {
				wins++
				f.same("the winner's item", winner.Owner, names[i])
				continue
			}
			f.same("the item a loser found", f.refused(err), winner)
		}
		if wins != 1 {
			f.Errorf("%d puts won, want 1", wins)
		}
	}
}

func raceOwnedAt(f *fixture) {
	const rounds = 4
	item := f.plain("contested", "v")
	item.Owner = "me"
	f.put(item)
	for round := range uint64(rounds) {
		wins := 0
		for _, err := range f.race(func(int) error {
			next := item
			next.Sequence = backend.Sequence{Number: round + 1}
			return f.Table.Put(f.ctx, next, backend.OwnedAt("me", backend.Sequence{Number: round}))
		}) {
			if err == nil {
				wins++
			}
		}
		if wins != 1 {
			f.Errorf("%d puts won version %d, want 1", wins, round+1)
		}
	}
}

// race runs put once for each racer, at the same time, and returns their errors.
func (f *fixture) race(put func(i int) error) []error {
	errs := make([]error, racers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			<-start
			errs[i] = put(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}
