module argo-rust/loopctl/parts/pause

go 1.26.8
