package front
import ("testing";"fmt";"strings";"time")
func TestX(t *testing.T){
 ns:=newNetwork(t)
 for _,n:=range []int{100,3000,20000} {
 var a,b strings.Builder
 a.WriteString("table ip t {\n chain c {\n");b.WriteString("table ip t {\n chain c {\n")
 for i:=range n { fmt.Fprintf(&a," meta mark %d counter name \"no\"\n",i); fmt.Fprintf(&b," dict sessions ct id application %d counter name \"no\"\n",i) }
 a.WriteString("}\n}\n");b.WriteString("}\n}\n")
 t0:=time.Now()
 x:=ns.plain(t,a.String(),"-f","-"); t1:=time.Now()
 y,err:=ns.try(t,b.String(),"-f","-")
 t.Log(n, x.Exit,len(strings.Split(x.Err,"Error")),x.Err[:min(300,len(x.Err))],t1.Sub(t0)); t.Log(y.Exit,err,len(strings.Split(y.Err,"Error")),y.Err[:min(300,len(y.Err))], time.Since(t1))
 }
}
