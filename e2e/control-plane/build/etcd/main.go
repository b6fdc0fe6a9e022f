// Command etcd is the etcd server, built from its own module so that the end-to-end suites need no download site.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
