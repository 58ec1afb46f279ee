module quarry/bench/broadcaster

go 1.21
