// Package wire holds the messages and the service of provider.proto, as
// generated. Package rpc converts them from and to the contract's types;
// nothing else needs them.
package wire

//go:generate protoc --proto_path=. --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative provider.proto
