package replay_test
import ("testing";"pgregory.net/rapid";"fmt";"github.com/durable-lambda/durable-lambda/durable/history")
func TestStat(t *testing.T){ var n,ev,tr,ended int; k:=map[history.Kind]int{}; rapid.Check(t, func(t *rapid.T){ ref:=drawReference(t); n+=len(ref.turns); for _,ss:=range ref.turns{for _,s:=range ss{ev+=len(s.Events); for _,e:=range s.Events{k[e.Kind]++; if e.Kind==history.ExecutionCompleted{ended++}}}}; tr+=len(ref.trace)}); fmt.Println(n,ev,tr,ended,k)}
