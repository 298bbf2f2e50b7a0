package conn

type tableState struct{}
